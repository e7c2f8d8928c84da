// The figures: each is drawn when it comes near the part of the page that is seen.

const Figures = {
  darkScale: [[0, "#8a73c9"], [0.5, "#35b7a8"], [1, "#fde725"]],
  places: new Map(), // element -> {key, drawn}
  observer: null,

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
    const note = (layout.meta && layout.meta.note) || "";
    const title = ((layout.title && layout.title.text) || "").replace(/<[^>]*>/g, "");
    element.setAttribute("role", "group");
    element.setAttribute("aria-label", plainText(title) + (note ? `; ${plainText(note)}` : ""));
    this.caption(element, plainText(note));
    if (layout.title) delete layout.title.subtitle;
    if (note) layout.margin = { ...(layout.margin || {}), t: Math.max(44, (layout.margin || {}).t - 24) };
    element.style.height = `${layout.height || 420}px`;
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
      modeBarButtonsToRemove: ["lasso2d", "select2d"],
      toImageButtonOptions: { format: "svg", filename: "figure" },
    });
    if (!element.hasClick) {
      element.hasClick = true;
      element.on("plotly_click", (event) => {
        const number = event.points.length ? event.points[0].customdata : undefined;
        const trial = Array.isArray(number) ? number[0] : number;
        if (typeof trial === "number" && !element.closest("dialog")) Trial.open(trial);
      });
    }
  },

  // What a figure leaves out stands below it, where a narrow screen breaks the line.
  caption(element, note) {
    let caption = element.nextElementSibling;
    if (!caption || !caption.classList.contains("caption")) {
      if (!note) return;
      caption = el("p", { class: "note caption" });
      element.after(caption);
    }
    caption.textContent = note;
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

// Titles were escaped for plotly, which reads entities; a label is plain text.
function plainText(text) {
  const named = { amp: "&", lt: "<", gt: ">" };
  return text.replace(/&(#\d+|amp|lt|gt);/g, (_, name) =>
    name[0] === "#" ? String.fromCodePoint(Number(name.slice(1))) : named[name]);
}
