"use strict";
// Small tools of the page. Texts that come from a run are only ever set as textContent: they cannot become markup.

function el(tag, attributes, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes || {})) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "onclick" || name === "oninput" || name === "onchange") node[name] = value;
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  for (const child of children.flat(Infinity)) {
    if (child === null || child === undefined) continue;
    node.append(child instanceof Node ? child : String(child));
  }
  return node;
}

async function unpack(id) {
  const node = document.getElementById(id);
  const bytes = Uint8Array.from(atob(node.textContent.trim()), (letter) => letter.charCodeAt(0));
  node.textContent = "";
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).text();
}

function runScript(text) {
  const script = document.createElement("script");
  script.nonce = document.currentScript ? document.currentScript.nonce : NONCE;
  script.textContent = text;
  document.head.append(script);
}

function shownNumber(value) {
  if (value === null || value === undefined) return "";
  if (typeof value !== "number") return String(value);
  if (Number.isInteger(value)) return value.toLocaleString("en");
  const size = Math.abs(value);
  if (size >= 1e-3 && size < 1e4) return value.toPrecision(4);
  return value.toPrecision(4).replace(/\.?0+(e|$)/, "$1");
}

function shownDuration(seconds) {
  if (seconds === null || seconds === undefined) return "";
  const whole = Math.max(0, Math.round(seconds));
  const parts = [[86400, "d"], [3600, "h"], [60, "m"], [1, "s"]];
  const first = parts.findIndex(([size]) => whole >= size);
  if (first < 0) return "0s";
  let rest = whole;
  return parts.slice(first, first + 2).map(([size, unit]) => {
    const count = Math.floor(rest / size);
    rest -= count * size;
    return `${count}${unit}`;
  }).join(" ");
}

function announce(text) {
  document.getElementById("announcer").textContent = text;
}

async function copyText(text, name) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    const area = el("textarea", { "aria-label": name });
    area.value = text;
    (document.querySelector("dialog[open]") || document.body).append(area);
    area.select();
    document.execCommand("copy");
    area.remove();
  }
  announce(`${name} copied`);
}

// JSON as a Python literal: the strings of JSON are strings of Python as well.
function asPython(value, indent) {
  const inner = indent + "    ";
  if (value === null) return "None";
  if (value === true) return "True";
  if (value === false) return "False";
  if (typeof value === "string") return JSON.stringify(value).replace(/[\u007f-\u009f\u2028\u2029]/g, hexadecimal);
  if (Array.isArray(value)) return `[${value.map((each) => asPython(each, inner)).join(", ")}]`;
  if (typeof value === "object") {
    const lines = Object.entries(value).map(([name, each]) => `${inner}${asPython(name)}: ${asPython(each, inner)},\n`);
    return lines.length ? `{\n${lines.join("")}${indent}}` : "{}";
  }
  return String(value);
}

function hexadecimal(letter) {
  return "\\u" + letter.charCodeAt(0).toString(16).padStart(4, "0");
}

const Theme = {
  choices: ["auto", "light", "dark"],
  chosen: "auto",
  isDark() {
    if (Print.isOn) return false;
    if (this.chosen !== "auto") return this.chosen === "dark";
    return window.matchMedia("(prefers-color-scheme: dark)").matches;
  },
  apply() {
    document.documentElement.dataset.theme = this.isDark() ? "dark" : "light";
    Figures.restyle();
  },
  button() {
    const name = () => `Colours: ${this.chosen}`;
    return el("button", { type: "button", class: "quiet", onclick: (event) => {
      this.chosen = this.choices[(this.choices.indexOf(this.chosen) + 1) % this.choices.length];
      event.currentTarget.textContent = name();
      this.apply();
    } }, name());
  },
};
