// What is chosen on the page stands in its address, so that a link shows what its sender saw.
"use strict";
const pageData = JSON.parse(document.getElementById("page-data").textContent);

const address = {
  choices: new URLSearchParams(location.hash.includes("=") ? location.hash.slice(1) : ""),
  followers: [],

  get(name) {
    return this.choices.get(name) || "";
  },
  // Writes the choices that differ from the page's first state; "" takes one out.
  set(values) {
    for (const [name, value] of Object.entries(values)) {
      if (value) this.choices.set(name, value);
      else this.choices.delete(name);
    }
    const hash = this.choices.toString();
    history.replaceState(null, "", hash ? "#" + hash : location.pathname + location.search);
  },
  // Calls it now and whenever a link to other choices is followed.
  follow(show) {
    this.followers.push(show);
    show();
  },
};
window.addEventListener("hashchange", () => {
  if (!location.hash.includes("=")) return; // a link to a section or a sample
  address.choices = new URLSearchParams(location.hash.slice(1));
  address.followers.forEach((show) => show());
});

function element(name, attributes = {}, ...children) {
  const svg = ["svg", "g", "path", "line", "rect", "text", "circle"].includes(name);
  const made = svg ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  made.append(...children);
  return made;
}
