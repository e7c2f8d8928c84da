// The leaderboard: sorted, filtered, with the columns that one chooses.

const Table = {
  page: 50,

  make(data) {
    this.data = data;
    this.shown = this.page;
    this.sort = { column: "rank", down: false };
    this.chosen = new Set(data.columns.filter((column) => column.is_shown).map((column) => column.name));
    this.filter = "";
    this.head = el("thead");
    this.body = el("tbody");
    this.count = el("p", { class: "note", role: "status" });
    this.more = el("button", { type: "button", onclick: () => { this.shown += 500; this.fill(); } }, "Show more");
    const input = el("input", {
      type: "search", id: "filter", autocomplete: "off", placeholder: "stopped  learning_rate<0.01",
      oninput: (event) => { this.filter = event.target.value; this.shown = this.page; this.fill(); },
    });
    const boxes = data.columns.filter((column) => column.name !== "trial").map((column) => el("label", {}, el("input", {
      type: "checkbox", checked: this.chosen.has(column.name), onchange: (event) => {
        if (event.target.checked) this.chosen.add(column.name);
        else this.chosen.delete(column.name);
        this.fillHead();
        this.fill();
      },
    }), " ", column.name));
    this.boxes = el("div", { class: "boxes" }, boxes);
    this.section = el("section", { id: "leaderboard", "aria-labelledby": "leaderboard-title" },
      el("h2", { id: "leaderboard-title" }, "Leaderboard"),
      el("div", { class: "bar" },
        el("label", { for: "filter" }, "Filter"), input,
        el("details", {}, el("summary", {}, "Columns"), this.boxes)),
      el("p", { class: "note" }, "Words are looked for in all columns; ",
        el("code", {}, "epochs>5"), " compares a column. A click on a trial shows its curves."),
      el("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": "Table of trials" },
        el("table", {}, this.head, this.body)),
      this.count, this.more);
    this.fillHead();
    this.fill();
    return this.section;
  },

  // The table as it is, with its filter and its order, for newer data of the same run.
  kept(data) {
    this.update(data);
    return this.section;
  },

  update(data) {
    const known = new Set(this.data.columns.map((column) => column.name));
    for (const column of data.columns) if (column.is_shown && !known.has(column.name)) this.chosen.add(column.name);
    this.data = data;
    this.fillHead();
    this.fill();
  },

  columns() {
    return this.data.columns.map((column, index) => ({ ...column, index }))
      .filter((column) => column.name === "trial" || this.chosen.has(column.name));
  },

  fillHead() {
    const focused = document.activeElement && document.activeElement.dataset.column;
    const cells = this.columns().map((column) => {
      const sorted = this.sort.column === column.name;
      return el("th", {
        scope: "col", class: column.is_number ? "number" : null,
        "aria-sort": sorted ? (this.sort.down ? "descending" : "ascending") : null,
      }, el("button", { type: "button", "data-column": column.name, onclick: () => {
        this.sort = { column: column.name, down: sorted ? !this.sort.down : column.is_number && column.name !== "rank" };
        this.fillHead();
        this.fill();
      } }, column.name.split(/(?<=_)/).map((part) => [part, el("wbr")]), sorted ? (this.sort.down ? " ▼" : " ▲") : ""));
    });
    this.head.replaceChildren(el("tr", {}, cells));
    if (focused) for (const button of this.head.querySelectorAll("button")) {
      if (button.dataset.column === focused) button.focus();
    }
  },

  fill() {
    const rows = this.sorted(this.matching());
    const columns = this.columns();
    const trialColumn = this.index("trial");
    const made = rows.slice(0, this.shown).map((row) => {
      const number = row[trialColumn];
      const cells = columns.map((column) => {
        if (column.name === "trial") {
          return el("th", { scope: "row" }, el("button", {
            type: "button", class: "link", "aria-label": `trial ${number}: show its curves`,
            onclick: () => Trial.open(number),
          }, number));
        }
        const value = row[column.index];
        const text = column.is_number ? shownNumber(value) : value === null ? "" : String(value);
        const cut = text.length > 80 ? `${text.slice(0, 79)}…` : text;
        return el("td", { class: column.is_number ? "number" : column.name === "status" ? "status" : null,
          "data-status": column.name === "status" ? text : null }, cut);
      });
      return el("tr", { class: row[this.index("rank")] === 1 ? "first" : null }, cells);
    });
    this.body.replaceChildren(...made);
    const all = this.data.rows.length;
    const left = rows.length - made.length;
    const matching = rows.length === all ? `${all.toLocaleString("en")} trials` :
      `${rows.length.toLocaleString("en")} of ${all.toLocaleString("en")} trials match ${this.filter.trim()}`;
    this.count.textContent = left > 0 ? `${matching}, ${made.length} shown` : matching;
    this.more.hidden = left <= 0;
  },

  index(name) {
    return this.data.columns.findIndex((column) => column.name === name);
  },

  matching() {
    const tests = this.filter.trim().split(/\s+/).filter(Boolean).map((word) => this.test(word));
    return this.data.rows.filter((row) => tests.every((test) => test(row)));
  },

  test(word) {
    const parts = word.match(/^(.+?)(<=|>=|!=|=|<|>)(.+)$/);
    const index = parts ? this.index(parts[1]) : -1;
    if (index < 0) {
      const wanted = word.toLowerCase();
      return (row) => row.some((value) => value !== null && String(value).toLowerCase().includes(wanted));
    }
    const [, , sign, text] = parts;
    const number = Number(text);
    return (row) => {
      const value = row[index];
      if (sign === "=") return typeof value === "number" ? value === number : String(value) === text;
      if (sign === "!=") return typeof value === "number" ? value !== number : String(value) !== text;
      if (typeof value !== "number" || Number.isNaN(number)) return false;
      return { "<": value < number, "<=": value <= number, ">": value > number, ">=": value >= number }[sign];
    };
  },

  sorted(rows) {
    const index = this.index(this.sort.column);
    if (index < 0) return rows;
    const sign = this.sort.down ? -1 : 1;
    const order = (left, right) => {
      const [a, b] = [left[index], right[index]];
      if (a === null || b === null) return a === b ? 0 : a === null ? 1 : -1;
      if (typeof a === "number" && typeof b === "number") return sign * (a - b);
      return sign * String(a).localeCompare(String(b), "en", { numeric: true });
    };
    return [...rows].sort(order);
  },
};
