// Printing: all figures, light, and as wide as a page of paper; what was asked is open.

const Print = {
  isOn: false,
  opened: [],

  // A browser waits for nothing between "print" and the paper: everything here happens at once, as far as the data is here.
  begin() {
    if (this.isOn) return;
    this.isOn = true;
    document.documentElement.dataset.printing = "yes";
    this.opened = [...document.querySelectorAll("details.asked:not(.later):not([open])")];
    for (const details of this.opened) details.open = true;
    Theme.apply();
    Figures.drawAll();
  },

  end() {
    if (!this.isOn) return;
    this.isOn = false;
    delete document.documentElement.dataset.printing;
    for (const details of this.opened) details.open = false;
    Theme.apply();
  },

  watch() {
    window.addEventListener("beforeprint", () => this.begin());
    window.addEventListener("afterprint", () => this.end());
    const print = window.matchMedia("print");
    print.addEventListener("change", () => (print.matches ? this.begin() : this.end()));
  },

  button() {
    return el("button", { type: "button", class: "quiet", onclick: async () => {
      await Figures.drawAll();
      window.print();
    } }, "Print");
  },
};
