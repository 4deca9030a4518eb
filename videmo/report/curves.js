// Training curves: small panels of one axis each, with the stages of the curriculum as bands behind them.
(() => {
  const host = document.getElementById("panels");
  if (!host) return;
  const LEADERS = ["train", "mean of the tasks"];
  const HEIGHT = 250, LEFT = 46, RIGHT = 12, TOP = 22, BOTTOM = 26, FEWEST = 6, MOST_SAID = 5, MANY = 10;
  const choosable = pageData.panels.filter((panel) => panel.series.length > 1);
  const names = [...new Set(choosable.flatMap((panel) => panel.series.map((series) => series.name)))];
  const tasks = names.filter((name) => !LEADERS.includes(name));
  const colour = (name) => (LEADERS.includes(name) ? `var(--leader-${LEADERS.indexOf(name)})` : tasks.includes(name) ? `var(--series-${tasks.indexOf(name) % 8})` : "var(--accent)");
  const ofTasks = ["loss", "reward", "answers exactly right"]; // the panels with a curve a task
  const elsewhere = pageData.panels.filter((panel) => !ofTasks.includes(panel.name)).flatMap((panel) => panel.series.map((s) => s.name));
  const crowd = tasks.length > MANY ? tasks.filter((name) => !elsewhere.includes(name)) : []; // not shown at first
  const hidden = new Set(crowd);
  const smooth = document.getElementById("smooth");

  const first = Math.min(...pageData.panels.flatMap((panel) => panel.series.map((s) => s.steps[0])));
  const last = Math.max(...pageData.panels.flatMap((panel) => panel.series.map((s) => s.steps.at(-1))), first + 1);

  // A mean over neighbours on both sides, weighted by their distance: it does not lag behind, as a running mean does.
  function smoothed(values) {
    const reach = Math.max(1, values.length / 30);
    return values.map((_, i) => {
      let sum = 0, weight = 0;
      for (let j = Math.max(0, Math.floor(i - 3 * reach)); j < Math.min(values.length, i + 3 * reach + 1); j++) {
        const share = Math.exp(-0.5 * ((i - j) / reach) ** 2);
        sum += share * values[j];
        weight += share;
      }
      return sum / weight;
    });
  }

  function ticks(low, high, wanted) {
    const rough = (high - low) / wanted, power = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((m) => m * power).find((s) => s >= rough * 0.999);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + step * 1e-6; i++) found.push(Number((i * step).toPrecision(10)));
    return found;
  }

  const short = (value) => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(0) : String(Number(value.toPrecision(4))));
  const exact = (value) => (value !== 0 && Math.abs(value) < 0.001 ? value.toExponential(2) : value.toFixed(3));

  function draw(panel, figure) {
    const svg = figure.querySelector("svg"), readout = figure.querySelector("output");
    const width = Math.max(220, figure.clientWidth);
    svg.replaceChildren();
    svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    const shown = panel.series.filter((series) => !hidden.has(series.name));
    const values = (shown.length ? shown : panel.series).flatMap((series) => series.values);
    let low = Math.min(...values), high = Math.max(...values);
    if (panel.name !== "learning rate" && low >= 0 && low < high / 2) low = 0;
    if (panel.name === "learning rate") low = 0;
    if (high - low < 1e-12) { high += Math.abs(high) * 0.1 || 1; low -= low ? Math.abs(low) * 0.1 : 0; }
    const x = (step) => LEFT + ((step - first) / (last - first)) * (width - LEFT - RIGHT);
    const y = (value) => HEIGHT - BOTTOM - ((value - low) / (high - low)) * (HEIGHT - TOP - BOTTOM);

    pageData.bands.forEach((band, i) => {
      const from = Math.max(x(band.first), LEFT), to = Math.min(x(band.last), width - RIGHT);
      if (to <= from) return;
      svg.append(element("rect", { class: `band band-${i % 2}`, x: from, y: 4, width: to - from, height: HEIGHT - BOTTOM - 4 }));
      if (to - from > band.name.length * 6.5) svg.append(element("text", { class: "stage", x: from + 6, y: 15 }, band.name));
    });
    for (const value of ticks(low, high, 4)) {
      svg.append(element("line", { class: "grid", x1: LEFT, x2: width - RIGHT, y1: y(value), y2: y(value) }));
      svg.append(element("text", { class: "tick", x: LEFT - 7, y: y(value) + 4, "text-anchor": "end" }, short(value)));
    }
    for (const value of ticks(first, last, width / 110)) {
      if (x(value) < LEFT + 8) continue;
      svg.append(element("text", { class: "tick", x: x(value), y: HEIGHT - 8, "text-anchor": "middle" }, short(value)));
    }
    svg.append(element("text", { class: "tick", x: LEFT - 7, y: HEIGHT - 8, "text-anchor": "end" }, "step"));
    const lines = (series, values, kind) => {
      const path = values.map((value, i) => `${i ? "L" : "M"}${x(series.steps[i]).toFixed(1)} ${y(value).toFixed(1)}`).join("");
      const leads = LEADERS.includes(series.name) || panel.series.length === 1 ? " leads" : "";
      svg.append(element("path", { class: `line ${kind}${leads}`, d: path, style: `stroke:${colour(series.name)}`, "data-series": series.name }));
    };
    const drawn = [...shown].reverse().map((series) => {
      const smooths = smooth.checked && series.values.length >= FEWEST && panel.name !== "learning rate";
      if (smooths) lines(series, series.values, "raw");
      const values = smooths ? smoothed(series.values) : series.values;
      lines(series, values, "main");
      if (values.length === 1) svg.append(element("circle", { cx: x(series.steps[0]), cy: y(values[0]), r: 3, style: `fill:${colour(series.name)}` }));
      return { series, values };
    }).reverse();
    const cursor = element("line", { class: "cursor", y1: TOP - 6, y2: HEIGHT - BOTTOM, visibility: "hidden" });
    svg.append(cursor);

    const steps = [...new Set(shown.flatMap((series) => series.steps))].sort((a, b) => a - b);
    let at = -1, pointed = null; // a step's number, and the height that is pointed at
    const say = () => {
      cursor.setAttribute("visibility", at < 0 ? "hidden" : "visible");
      readout.replaceChildren();
      if (at < 0) return;
      const step = steps[at];
      cursor.setAttribute("x1", x(step));
      cursor.setAttribute("x2", x(step));
      readout.append(element("b", {}, `step ${step}`));
      const onLeft = x(step) > width / 2;
      readout.style.left = onLeft ? `${LEFT + 4}px` : "auto";
      readout.style.right = onLeft ? "auto" : `${RIGHT}px`;
      // A curve without a value here has its last one. All are said at the keyboard, the nearest ones at a pointer.
      const near = drawn.map((curve) => ({ ...curve, i: curve.series.steps.findLastIndex((s) => s <= step) })).filter(({ i }) => i >= 0);
      if (pointed !== null) {
        const distance = ({ series, values, i }) => (LEADERS.includes(series.name) ? -1 : Math.abs(y(values[i]) - pointed));
        near.sort((a, b) => distance(a) - distance(b)).splice(MOST_SAID);
      }
      for (const { series, values, i } of near) {
        readout.append(element("span", {}, element("i", { style: `background:${colour(series.name)}` }), series.name, element("em", {}, exact(values[i]))));
      }
    };
    svg.onpointermove = (event) => {
      const box = svg.getBoundingClientRect();
      const step = first + (((event.clientX - box.left) * (width / box.width) - LEFT) / (width - LEFT - RIGHT)) * (last - first);
      at = steps.reduce((best, s, i) => (best < 0 || Math.abs(s - step) < Math.abs(steps[best] - step) ? i : best), -1);
      pointed = ((event.clientY - box.top) * HEIGHT) / box.height;
      say();
    };
    svg.onpointerleave = svg.onblur = () => { at = -1; say(); };
    svg.onkeydown = (event) => {
      const move = { ArrowRight: 1, ArrowLeft: -1, Home: -steps.length, End: steps.length }[event.key];
      if (move === undefined || !steps.length) return;
      event.preventDefault();
      pointed = null;
      at = Math.min(steps.length - 1, Math.max(0, at + move));
      say();
    };
  }

  const figures = pageData.panels.map((panel) => {
    const svg = element("svg", { tabindex: "0", role: "img", "aria-label": `${panel.name} by optimizer step; arrow keys read the values` });
    const figure = element("figure", {}, element("figcaption", {}, element("strong", {}, panel.name)), svg, element("output"));
    host.append(figure);
    return [panel, figure];
  });
  const drawAll = () => figures.forEach(([panel, figure]) => draw(panel, figure));

  const chips = document.getElementById("series");
  const boxes = names.map((name) => {
    const box = element("input", { type: "checkbox", value: name });
    const chip = element("label", { class: "chip", style: `--colour:${colour(name)}` }, box, element("span", {}, name));
    box.addEventListener("change", () => {
      if (box.checked) hidden.delete(name);
      else hidden.add(name);
      change();
    });
    chip.addEventListener("pointerenter", () => host.querySelectorAll("path.line").forEach((p) => p.classList.toggle("faint", p.dataset.series !== name)));
    chip.addEventListener("pointerleave", () => host.querySelectorAll("path.line").forEach((p) => p.classList.remove("faint")));
    chips.append(chip);
    return box;
  });
  function show() {
    boxes.forEach((box) => { box.checked = !hidden.has(box.value); });
    drawAll();
  }
  function change() {
    const atFirst = crowd.length === hidden.size && crowd.every((name) => hidden.has(name));
    address.set({ hide: atFirst ? "" : [...hidden].join(",") || "none", smooth: smooth.checked ? "1" : "" });
    show();
  }
  smooth.addEventListener("change", change);
  if (names.length > 2) {
    for (const [label, keep] of [["all", () => true], ["only means", (name) => LEADERS.includes(name)]]) {
      const button = element("button", { type: "button", class: "quiet" }, label);
      button.addEventListener("click", () => {
        hidden.clear();
        names.filter((name) => !keep(name)).forEach((name) => hidden.add(name));
        change();
      });
      if (label === "all" || names.some((name) => LEADERS.includes(name))) chips.append(button);
    }
  }
  address.follow(() => {
    hidden.clear();
    const wanted = address.get("hide") ? address.get("hide").split(",") : crowd;
    wanted.filter((name) => names.includes(name)).forEach((name) => hidden.add(name));
    smooth.checked = address.get("smooth") === "1";
    show();
  });
  let width = host.clientWidth;
  new ResizeObserver(() => {
    if (host.clientWidth !== width) drawAll();
    width = host.clientWidth;
  }).observe(host);
})();
