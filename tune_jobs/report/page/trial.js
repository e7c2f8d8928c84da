// One trial: its curves, its configuration as code, its error, its log.

const Trial = {
  number: null,

  async open(number) {
    const trial = await Source.trial(number);
    if (!trial) return;
    this.number = number;
    this.back = this.back || document.activeElement;
    const dialog = document.getElementById("trial");
    for (const element of dialog.querySelectorAll(".figure")) Figures.forget(element);
    const code = `config = ${asPython(trial.config, "")}\n`;
    const facts = trial.facts.map(([name, value]) => [el("dt", {}, name), el("dd", {}, value)]);
    const parameters = Object.entries(trial.config).map(([name, value]) => el("tr", {},
      el("th", { scope: "row" }, name), el("td", {}, typeof value === "string" ? value : JSON.stringify(value))));
    const figures = trial.panels.map((panel) => ({ panel, element: el("div", { class: "figure" }) }));
    dialog.replaceChildren(...[
      el("div", { class: "bar" },
        el("h2", { id: "trial-title" }, `Trial ${number}`),
        el("button", { type: "button", class: "quiet", onclick: () => dialog.close() }, "Close")),
      el("dl", {}, facts),
      el("div", { class: "bar" },
        el("button", { type: "button", onclick: () => copyText(code, "Python") }, "Copy as Python"),
        el("button", { type: "button", onclick: () => copyText(JSON.stringify(trial.config, null, 2), "JSON") },
          "Copy as JSON")),
      trial.note ? el("p", { class: "note" }, trial.note) : null,
      el("div", { class: "panels" }, figures.map(({ element }) => el("div", {}, element))),
      el("h3", {}, "Configuration"),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Configuration" },
        el("table", { class: "plain" }, el("tbody", {}, parameters))),
      trial.error ? [el("h3", {}, "Error"), el("pre", { tabindex: "0" }, trial.error)] : [],
      trial.log ? [el("h3", {}, "Log"), el("pre", { tabindex: "0", class: "log" }, trial.log)] : [],
    ].flat().filter(Boolean));
    if (!dialog.open) dialog.showModal();
    for (const { panel, element } of figures) this.draw(element, panel);
    if (Source.isLive) history.replaceState(null, "", `#run=${encodeURIComponent(Source.name)}&trial-${number}`);
  },

  draw(element, panel) {
    Figures.places.set(element, { key: null, drawn: "own", near: false });
    const colours = ["#0072B2", "#D55E00", "#009E73"];
    const data = panel.lines.map((line, index) => ({
      type: "scatter", mode: line.x.length > 1 ? "lines" : "markers", name: line.name, x: line.x, y: line.y,
      line: { color: colours[index % 3], width: 2, dash: index ? "dash" : "solid" },
    }));
    const grid = { gridcolor: "rgba(128,128,128,0.22)", zeroline: false, automargin: true };
    Figures.show(element, { data, layout: {
      height: 320, title: { text: panel.title, x: 0, xref: "container", xanchor: "left", pad: { l: 12 } },
      margin: { l: 56, r: 12, t: 64, b: 44 },
      legend: { orientation: "h", yref: "container", y: 0, yanchor: "bottom", x: 0, xanchor: "left" },
      xaxis: { tickformat: ",d", ...grid, title: { text: "epoch", standoff: 8 } }, yaxis: grid, plot_bgcolor: "rgba(0,0,0,0)",
      font: { family: "system-ui, sans-serif", size: 13 },
    } });
  },

  closed() {
    for (const element of document.querySelectorAll("#trial .figure")) Figures.forget(element);
    this.number = null;
    if (Source.isLive) history.replaceState(null, "", `#run=${encodeURIComponent(Source.name)}`);
    if (this.back && this.back.isConnected) this.back.focus();
    this.back = null;
  },

  refresh() {
    if (this.number !== null) this.open(this.number);
  },
};
