// The data of a page that follows runs: asked for again and again from the server that sent the page.

const Source = {
  isLive: true,
  name: null,
  content: null,
  everyMs: 1000,
  figures: new Map(),

  version() {
    return `${this.name} ${this.content ? this.content.version : ""}`;
  },

  async ask(path) {
    const response = await fetch(path, { cache: "no-store" });
    if (!response.ok) throw new Error(`${response.status}`);
    return response.json();
  },

  of(kind, query) {
    const asked = new URLSearchParams(query).toString();
    return this.ask(`${kind}/${encodeURIComponent(this.name)}?${asked}`);
  },

  async begin() {
    runScript(await unpack("plotly"));
    this.list = el("section", { "aria-labelledby": "runs-title" });
    document.getElementById("comparison").replaceChildren(this.list);
    this.status = document.getElementById("made");
    window.addEventListener("hashchange", () => this.choose());
    await this.look();
    await this.choose();
    setInterval(() => this.step(), this.everyMs);
  },

  async step() {
    if (this.busy || document.hidden) return;
    this.busy = true;
    try {
      await this.follow();
      this.lost = false;
      if (!this.looking && Date.now() - this.looked > (this.rows.length > 1 ? 2000 : 10000)) {
        this.looking = true;
        this.look().catch(() => null).finally(() => { this.looking = false; });
      }
    } catch {
      this.lost = true;
    } finally {
      this.busy = false;
    }
    this.tell();
  },

  tell() {
    if (this.lost) {
      this.status.textContent = "The server does not answer. Start tune-jobs view again, and open the address that it prints. " +
        "The run is not concerned.";
    } else if (this.content && this.content.latest_s) {
      const ago = Date.now() / 1000 - this.content.latest_s;
      this.status.textContent = `Last event ${shownDuration(ago)} ago. This page follows the journal, and only reads.`;
    }
  },

  wanted() {
    const match = location.hash.match(/run=([^&]*)/);
    return match ? decodeURIComponent(match[1]) : null;
  },

  async choose() {
    const names = this.rows.map((row) => row.name);
    const wanted = this.wanted();
    const name = names.includes(wanted) ? wanted : names.length ? names[0] : null;
    if (name === null) {
      document.getElementById("main").replaceChildren(el("p", {}, "There are no runs yet. They appear here by themselves."));
      return;
    }
    if (name !== this.name) {
      this.name = name;
      this.content = null;
      await this.follow();
    }
    this.fillList();
    const trial = location.hash.match(/trial-(\d+)/);
    if (trial) Trial.open(Number(trial[1]));
  },

  async follow() {
    if (this.name === null) return;
    const content = await this.of("run", { since: this.content ? this.content.version : "" });
    if (content.problem) {
      const main = document.getElementById("main");
      for (const element of main.querySelectorAll(".figure")) Figures.forget(element);
      main.replaceChildren(el("p", { class: "warning" }, content.problem));
      document.getElementById("title").textContent = this.name;
      page = null;
      return;
    }
    if (!content.columns) return;
    this.content = content;
    update(content);
  },

  async look() {
    const { runs, problem } = await this.ask("runs");
    this.looked = Date.now();
    const grown = !this.rows || this.rows.length !== runs.length;
    this.rows = runs;
    this.problem = problem;
    this.fillList();
    if (grown && this.name === null && runs.length) await this.choose();
  },

  fillList() {
    this.list.hidden = this.rows.length < 2 && !this.problem;
    const focused = document.activeElement && document.activeElement.dataset.run;
    const rows = this.rows.map((row) => el("tr", { class: row.name === this.name ? "first" : null },
      el("th", { scope: "row" }, el("button", { type: "button", class: "link", "data-run": row.name,
        "aria-current": row.name === this.name ? "true" : null,
        onclick: () => { location.hash = `run=${encodeURIComponent(row.name)}`; } }, row.name)),
      row.problem ? el("td", { colspan: 5 }, row.problem) : [
        el("td", {}, row.state), el("td", {}, this.bar(row)), el("td", {}, row.best), el("td", {}, row.trials),
        el("td", {}, row.started)]));
    this.list.replaceChildren(
      el("h2", { id: "runs-title" }, "Runs"), this.problem ? el("p", { class: "warning" }, this.problem) : "",
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of runs" }, el("table", {},
        el("thead", {}, el("tr", {}, ["run", "state", "progress", "best", "trials", "started"].map((name) =>
          el("th", { scope: "col" }, name)))), el("tbody", {}, rows))));
    if (focused) for (const button of this.list.querySelectorAll("button")) {
      if (button.dataset.run === focused) button.focus();
    }
  },

  bar(row) {
    if (row.share === null || row.share === undefined) return "";
    const percent = `${Math.round(100 * row.share)} %`;
    const inner = el("div");
    inner.style.width = percent.replace(" ", "");
    return el("div", { class: "progress", role: "img", "aria-label": percent, title: percent }, inner);
  },

  // Kept until there is a newer one: printing cannot wait for the server.
  async figure(key) {
    const name = `${this.version()} ${key}`;
    if (!this.figures.has(name)) {
      const figure = await this.of("figure", { key });
      if (!figure.data) throw new Error(figure.problem);
      for (const old of this.figures.keys()) if (!old.startsWith(`${this.version()} `)) this.figures.delete(old);
      this.figures.set(name, figure);
    }
    return this.figures.get(name);
  },

  async trial(number) {
    const raw = await this.of("trial", { number });
    return raw && raw.config ? trialView(raw, raw.curve_metrics) : null;
  },
};
