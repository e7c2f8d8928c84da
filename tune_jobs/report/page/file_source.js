// The data of a page that is a file: everything is in it.

const Source = {
  isLive: false,
  whole: null,
  chosen: 0,

  version() {
    return String(this.chosen);
  },

  async begin() {
    const [text, plotly] = await Promise.all([unpack("data"), unpack("plotly")]);
    this.whole = JSON.parse(text);
    runScript(plotly);
    document.getElementById("made").textContent = this.whole.made;
    const runs = this.whole.runs;
    if (runs.length > 1) {
      document.getElementById("comparison").replaceChildren(comparison(this.whole.comparison) || "");
      const select = el("select", { id: "run", onchange: (event) => {
        this.chosen = Number(event.target.value);
        build(runs[this.chosen]);
      } }, runs.map((run, index) => el("option", { value: index }, run.name)));
      document.getElementById("tools").prepend(el("label", { for: "run" }, "Run"), select);
    }
    build(runs[0]);
    const match = location.hash.match(/^#trial-(\d+)$/);
    if (match) Trial.open(Number(match[1]));
  },

  async figure(key) {
    const own = this.whole.runs[this.chosen].figures[key];
    return own || this.whole.comparison.figures[key];
  },

  async trial(number) {
    const run = this.whole.runs[this.chosen];
    const raw = run.trials[number];
    return raw ? trialView(raw, run.curve_metrics) : null;
  },
};
