// The figures: each is drawn when it comes near the part of the page that is seen.

const Figures = {
  darkScale: [[0, "#8a73c9"], [0.5, "#35b7a8"], [1, "#fde725"]],
  places: new Map(), // element -> {key, drawn}
  observer: null,
  pagePx: 900, // what fits on a page of paper, with a title and a note
  barPx: 36, // the room of the buttons above a figure
  linePx: 28, // the room of a line of the title in plotly's figures

  watch(element, key) {
    if (this.observer === null) {
      this.observer = new IntersectionObserver((entries) => {
        for (const entry of entries) {
          const place = this.places.get(entry.target);
          if (!place) continue;
          place.near = entry.isIntersecting;
          if (place.near) this.draw(entry.target);
        }
      }, { rootMargin: "400px" });
    }
    this.places.set(element, { key, drawn: null, near: false, version: null });
    this.observer.observe(element);
  },

  change(element, key) {
    const place = this.places.get(element);
    place.key = key;
    place.drawn = null;
    this.draw(element);
  },

  forget(element) {
    this.places.delete(element);
    if (this.observer) this.observer.unobserve(element);
    if (element.data) Plotly.purge(element);
  },

  async draw(element) {
    const place = this.places.get(element);
    if (!place || place.key === null) return;
    const wanted = `${place.key} ${Source.version()}`;
    if (place.drawn === wanted || place.drawing === wanted) return;
    place.drawing = wanted;
    let figure;
    try {
      figure = await Source.figure(place.key);
    } catch (error) {
      place.drawing = null;
      return;
    }
    if (!this.places.has(element) || place.drawing !== wanted) return;
    place.drawn = wanted;
    place.drawing = null;
    this.show(element, figure);
  },

  show(element, figure) {
    const copy = JSON.parse(JSON.stringify(figure));
    const layout = this.themed(copy.layout || {});
    const note = plainText((layout.meta && layout.meta.note) || "");
    const title = plainText(((layout.title && layout.title.text) || "").replace(/<[^>]*>/g, ""));
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", title + (note ? `; ${note}` : ""));
    if (!copy.data.length) {
      this.say(element, title);
      return;
    }
    if (!element.data) element.replaceChildren();
    this.beside(element, "before", "h3", "figure-title", title);
    this.beside(element, "after", "p", "note caption", note);
    delete layout.title;
    const top = Math.max(this.barPx, ((layout.margin || {}).t || 0) - (note ? 2 : 1) * this.linePx);
    layout.height = (layout.height || 420) - (((layout.margin || {}).t || top) - top);
    layout.margin = { ...(layout.margin || {}), t: top };
    if (Print.isOn) Object.assign(layout, { width: element.clientWidth, height: Math.min(layout.height, this.pagePx) });
    element.style.height = `${layout.height}px`;
    layout.autosize = true;
    layout.uirevision = "kept";
    for (const trace of copy.data) {
      if (trace.type === "parcoords" && Theme.isDark()) {
        trace.line = { ...trace.line, colorscale: this.darkScale, reversescale: !trace.line.reversescale };
      }
    }
    Plotly.react(element, copy.data, layout, {
      responsive: true,
      displaylogo: false,
      showSendToCloud: false, // plotly offers to upload the figure
      modeBarButtonsToRemove: ["toImage", "lasso2d", "select2d", "zoomIn2d", "zoomOut2d", "autoScale2d"],
      modeBarButtonsToAdd: [{
        name: "Download as a picture (SVG)", icon: Plotly.Icons.camera, click: (shown) => this.download(shown, title),
      }],
    });
    this.wholeTicks(element);
    if (!element.hasClick) {
      element.hasClick = true;
      element.on("plotly_relayout", () => this.wholeTicks(element));
      element.on("plotly_click", (event) => {
        const number = event.points.length ? event.points[0].customdata : undefined;
        const trial = Array.isArray(number) ? number[0] : number;
        if (typeof trial === "number" && !element.closest("dialog")) Trial.open(trial);
      });
    }
  },

  // The title stands above a figure, where its buttons do not lie on it, and what the figure leaves out below it. A
  // narrow screen breaks their lines.
  beside(element, side, tag, name, text) {
    const neighbour = side === "before" ? element.previousElementSibling : element.nextElementSibling;
    const known = neighbour && neighbour.className === name ? neighbour : null;
    if (known) known.textContent = text;
    else if (text) element[side](el(tag, { class: name }, text));
  },

  // Why there is no figure.
  say(element, message) {
    if (element.data) Plotly.purge(element);
    element.hasClick = false;
    this.beside(element, "before", "h3", "figure-title", "");
    this.beside(element, "after", "p", "note caption", "");
    element.style.height = "";
    element.replaceChildren(el("p", { class: "note" }, message));
  },

  download(element, title) {
    const { clientWidth: width, clientHeight: height } = element;
    const margin = { ...element.layout.margin, t: element.layout.margin.t + this.linePx };
    const layout = { ...element.layout, margin, height: height + this.linePx, width,
      title: { text: escaped(title), x: 0, xref: "container", xanchor: "left", y: 1, yref: "container", yanchor: "top",
        pad: { l: 12, t: 14 } },
      paper_bgcolor: Theme.isDark() ? "#16181c" : "#ffffff" };
    Plotly.downloadImage({ data: element.data, layout }, { format: "svg", filename: "figure", width, height: layout.height });
  },

  // An axis that counts has no ticks between whole numbers, also where one has zoomed in.
  wholeTicks(element) {
    const changes = {};
    for (const [name, axis] of Object.entries(element.layout)) {
      if (!/^[xy]axis/.test(name) || axis.tickformat !== ",d" || !axis.range) continue;
      const step = Math.abs(axis.range[1] - axis.range[0]) < 10 ? 1 : null;
      if ((axis.dtick || null) !== step) changes[`${name}.dtick`] = step;
    }
    if (Object.keys(changes).length) Plotly.relayout(element, changes);
  },

  themed(layout) {
    const dark = Theme.isDark();
    const colour = dark ? "#e8e8e8" : "#1c1c1c";
    layout.paper_bgcolor = "rgba(0,0,0,0)";
    layout.font = { ...(layout.font || {}), color: colour };
    layout.hoverlabel = {
      ...(layout.hoverlabel || {}),
      bgcolor: dark ? "#2b2f36" : "#ffffff",
      bordercolor: "#888888",
      font: { color: colour },
    };
    layout.modebar = { bgcolor: "rgba(0,0,0,0)", color: dark ? "#a5a5a5" : "#6b6b6b", activecolor: colour };
    if (element_width() < 520) layout.margin = { ...(layout.margin || {}), l: 48, r: 8 };
    return layout;
  },

  restyle() {
    for (const [element, place] of this.places) {
      if (place.key !== null) place.drawn = null;
      if (place.key !== null && place.near) this.draw(element);
      else if (element.data) {
        const { font, hoverlabel, modebar } = this.themed({ font: element.layout.font });
        Plotly.relayout(element, { "font.color": font.color, hoverlabel, modebar });
      }
    }
  },

  refresh() {
    for (const [element, place] of this.places) if (place.near) this.draw(element);
  },

  async drawAll() {
    for (const element of this.places.keys()) await this.draw(element);
  },
};

function element_width() {
  return document.documentElement.clientWidth;
}

// A text as plotly draws it unchanged.
function escaped(text) {
  const signs = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "$": "&#36;" };
  return text.replace(/[&<>$]/g, (sign) => signs[sign]);
}

// Titles were escaped for plotly, which reads entities; a label is plain text.
function plainText(text) {
  const named = { amp: "&", lt: "<", gt: ">" };
  return text.replace(/&(#\d+|amp|lt|gt);/g, (_, name) =>
    name[0] === "#" ? String.fromCodePoint(Number(name.slice(1))) : named[name]);
}
