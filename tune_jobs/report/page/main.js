// The page: what was asked, the best model, the leaderboard, the figures.

let page = null; // the data of the run that is shown
const choices = new Map(); // the figure that one has chosen in each group

function trialView(raw, metrics) {
  const byTitle = new Map();
  metrics.forEach((metric, index) => {
    const y = raw.values[index];
    if (!y || !y.some((value) => value !== null)) return;
    const training = metric.name.replace(/^val_/, "");
    if (!byTitle.has(training)) byTitle.set(training, { title: metric.label.replace(/^val_/, ""), lines: [] });
    const line = { name: metric.label, x: raw.epochs, y };
    const lines = byTitle.get(training).lines;
    if (metric.name.startsWith("val_")) lines.unshift(line);
    else lines.push(line);
  });
  return { ...raw, panels: [...byTitle.values()] };
}

function factList(facts) {
  return el("dl", {}, facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]));
}

function summary(data) {
  const best = data.best;
  const cards = best ? [
    el("div", { class: "card" }, el("span", { class: "label" }, data.metric), el("strong", {}, best.value),
      el("span", { class: "label" }, `trial ${best.trial}, epoch ${best.epoch}`)),
    ...best.scores.map(([name, value]) =>
      el("div", { class: "card" }, el("span", { class: "label" }, name), el("strong", {}, value))),
  ] : [el("div", { class: "card" }, el("span", { class: "label" }, data.metric), el("strong", {}, "–"),
    el("span", { class: "label" }, "no finite value yet"))];
  return [
    el("p", { class: "state", "data-state": data.state_kind }, data.state),
    el("div", { class: "cards" }, cards),
    best ? el("p", { class: "config" }, best.config) : null,
    best ? el("p", {}, el("button", { type: "button", onclick: () => Trial.open(best.trial) },
      "Curves and code of the best trial")) : null,
    ...data.notes.map((note) => el("p", { class: "warning" }, note)),
  ];
}

function asked(data) {
  return el("details", { class: "asked" },
    el("summary", {}, "What was asked"), factList(data.asked),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Search space" },
      el("pre", { class: "space" }, data.space)));
}

function runLog() {
  if (!Source.isLive) return null;
  const text = el("pre", { class: "log", tabindex: "0" }, "…");
  const details = el("details", { class: "asked later" }, el("summary", {}, "Log of the run"), text);
  details.addEventListener("toggle", async () => {
    if (details.open) text.textContent = (await Source.of("log", {})) || "It is empty.";
  });
  return details;
}

function failures(data) {
  if (!data.failures.length) return null;
  const rows = data.failures.map((failure) => el("tr", {},
    el("td", { class: "number" }, failure.count),
    el("td", { class: "status", "data-status": failure.status }, failure.status),
    el("td", { class: "wide" }, failure.reason),
    el("td", {}, failure.trials.map((trial) => [
      el("button", { type: "button", class: "link", "aria-label": `trial ${trial}`,
        onclick: () => Trial.open(trial) }, trial), " "]), failure.count > failure.trials.length ? "…" : "")));
  return el("section", { "aria-labelledby": "failures-title" }, el("h2", { id: "failures-title" }, "Failures"),
    el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of failures" },
      el("table", { class: "failures" },
        el("thead", {}, el("tr", {}, ["trials", "status", "reason", "which"].map((name) =>
          el("th", { scope: "col" }, name)))), el("tbody", {}, rows))));
}

function figureGroup(group) {
  const id = `figure-${group.name}`;
  if (group.is_grid) {
    return el("section", { class: "many", "aria-labelledby": id }, el("h2", { id }, group.title),
      el("div", { class: "panels" }, group.options.map((option) => {
        const element = el("div", { class: "figure" });
        Figures.watch(element, option.key);
        return el("div", {}, element);
      })));
  }
  const element = el("div", { class: "figure" });
  const keys = group.options.map((option) => option.key);
  const key = keys.includes(choices.get(group.name)) ? choices.get(group.name) : keys[0];
  const select = group.options.length > 1 ? el("select", { id: `${id}-choice`, onchange: (event) => {
    choices.set(group.name, event.target.value);
    Figures.change(element, event.target.value);
  } }, group.options.map((option) =>
    el("option", { value: option.key, selected: option.key === key }, option.label))) : null;
  Figures.watch(element, key);
  return el("section", { "aria-labelledby": id },
    el("div", { class: "bar" }, el("h2", { id }, group.title),
      select ? el("span", { class: "choice" }, el("label", { for: `${id}-choice` }, group.choice), select) : null),
    el("div", { class: "scroll plot", tabindex: group.is_wide ? "0" : null, role: group.is_wide ? "region" : null,
      "aria-label": group.is_wide ? `${group.title}: scrolls to the side` : null }, el("div", { class: group.is_wide ? "wide" : null }, element)),
    el("p", { class: "note" }, group.help));
}

function comparison(data) {
  if (!data) return null;
  const rows = data.rows.map(([name, ...cells]) => el("tr", {}, el("th", { scope: "row" }, name),
    cells.map((cell) => el("td", {}, cell))));
  return el("section", { "aria-labelledby": "comparison-title" },
    el("h2", { id: "comparison-title" }, "Comparison"),
    data.lines.map((line) => el("p", {}, line)),
    !rows.length ? null : el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of strategies" },
      el("table", { class: "plain" }, el("thead", {}, el("tr", {}, el("td", {}),
        data.names.map((name) => el("th", { scope: "col" }, name)))), el("tbody", {}, rows))),
    data.groups.map(figureGroup));
}

function build(data) {
  const table = page !== null && page.name === data.name ? Table.kept(data) : Table.make(data);
  const focused = document.activeElement;
  page = data;
  const main = document.getElementById("main");
  for (const element of main.querySelectorAll(".figure")) Figures.forget(element);
  const top = el("section", { id: "summary", "aria-label": "Result" }, summary(data));
  const kept = el("div", { id: "failures" }, failures(data));
  const figures = data.groups.map(figureGroup);
  const parts = [top, asked(data), ...figures.slice(0, 2), table, ...figures.slice(2), kept, runLog()];
  main.replaceChildren(...parts.filter(Boolean));
  if (table.contains(focused)) focused.focus();
  document.getElementById("title").textContent = data.name;
  document.title = `${data.name} · tune-jobs`;
}

function update(data) {
  const groups = (of) => JSON.stringify(of.groups.map((group) => group.options));
  if (page === null || page.name !== data.name || groups(page) !== groups(data)) {
    const y = window.scrollY;
    build(data);
    window.scrollTo(0, y);
    return;
  }
  page = data;
  document.getElementById("summary").replaceChildren(...summary(data).filter(Boolean));
  document.getElementById("failures").replaceChildren(...[failures(data)].filter(Boolean));
  Table.update(data);
  Figures.refresh();
  Trial.refresh();
}

async function start() {
  Theme.apply();
  document.getElementById("tools").append(Theme.button(), Print.button());
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => Theme.apply());
  Print.watch();
  document.getElementById("trial").addEventListener("close", () => Trial.closed());
  const main = document.getElementById("main");
  if (typeof DecompressionStream === "undefined") {
    main.replaceChildren(el("p", { class: "warning" }, "This page needs a browser of 2023 or later."));
    return;
  }
  await Source.begin();
  main.setAttribute("aria-busy", "false");
  document.documentElement.dataset.ready = "yes";
}

start().catch((error) => {
  document.getElementById("main").replaceChildren(el("p", { class: "warning" }, `The page cannot be shown: ${error}`));
});
