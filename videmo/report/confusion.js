// Confusion matrices: a table of shaded cells; pointing at one, or moving to it with the arrow keys, reads it out.
(() => {
  const table = document.getElementById("matrix");
  if (!table) return;
  const task = document.getElementById("matrix-task"), method = document.getElementById("matrix-method");
  const readout = document.getElementById("matrix-readout");
  const firstTask = task.value;
  const percent = (share) => `${(100 * share).toFixed(0)}%`;

  function listMethods(wanted) {
    const names = Object.keys(pageData.matrices[task.value]);
    method.replaceChildren(...names.map((name) => element("option", {}, name)));
    method.value = names.includes(wanted) ? wanted : names[0];
  }

  function draw() {
    const { labels, counts, leftOut } = pageData.matrices[task.value][method.value];
    const answers = [...labels, pageData.unread];
    const total = counts.flat().reduce((a, b) => a + b, 0);
    const right = counts.reduce((sum, row, i) => sum + row[i], 0);
    const head = element("tr", {}, element("th", { scope: "col", class: "corner" }, "truth \\ answer"));
    for (const label of answers) head.append(element("th", { scope: "col", class: label === pageData.unread ? "unreadable" : "" }, element("span", {}, label)));
    head.append(element("th", { scope: "col", class: "recall" }, element("span", {}, "recall")));
    const body = element("tbody");
    counts.forEach((row, i) => {
      const asked = row.reduce((a, b) => a + b, 0);
      const line = element("tr", {}, element("th", { scope: "row" }, labels[i], element("small", {}, ` ${asked}`)));
      row.forEach((count, j) => {
        const share = asked ? count / asked : 0;
        const cell = element("td", { tabindex: i + j ? "-1" : "0", style: `--share:${share.toFixed(3)}`, class: (i === j ? "right" : "") + (count ? "" : " none") + (share > 0.55 ? " dark" : "") }, String(count));
        cell.sayIt = () => `${count} of the ${asked} that are ${labels[i]} (${percent(share)}) ` + (j === labels.length ? "could not be read." : `were answered ${answers[j]}.`);
        line.append(cell);
      });
      line.append(element("td", { class: "recall" }, asked ? percent(row[i] / asked) : "–"));
      body.append(line);
    });
    table.replaceChildren(element("caption", { class: "hidden" }, `${task.value}, ${method.value}`), element("thead", {}, head), body);
    const said = `${right} of ${total} right (${total ? percent(right / total) : "–"}).` + (leftOut ? ` ${leftOut} with a reference that names no label are left out.` : "");
    const rest = () => { readout.textContent = said + " Point at a cell, or use the arrow keys, to read it."; };
    const tell = (event) => { const cell = event.target.closest("td"); if (cell && cell.sayIt) readout.textContent = cell.sayIt(); };
    table.onpointerover = table.onclick = tell;
    table.onpointerleave = rest;
    rest();
  }

  function change() {
    address.set({ matrix: task.value === firstTask ? "" : task.value, method: method.selectedIndex > 0 ? method.value : "" });
    draw();
  }

  table.addEventListener("focusin", (event) => {
    if (event.target.sayIt) readout.textContent = event.target.sayIt();
  });
  table.addEventListener("keydown", (event) => {
    const move = { ArrowRight: [0, 1], ArrowLeft: [0, -1], ArrowDown: [1, 0], ArrowUp: [-1, 0] }[event.key];
    const cell = event.target.closest("td");
    if (!move || !cell) return;
    const next = table.tBodies[0].rows[cell.parentNode.sectionRowIndex + move[0]]?.cells[cell.cellIndex + move[1]];
    if (!next || !next.sayIt) return;
    event.preventDefault();
    cell.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  task.addEventListener("change", () => {
    listMethods(method.value);
    change();
  });
  method.addEventListener("change", change);
  address.follow(() => {
    task.value = Object.hasOwn(pageData.matrices, address.get("matrix")) ? address.get("matrix") : firstTask;
    listMethods(address.get("method"));
    draw();
  });
})();
