// Filters of the samples: task, right or wrong, and words; they work together, and each choice says how many it leaves.
(() => {
  const form = document.getElementById("filters");
  if (!form) return;
  const cards = [...document.querySelectorAll("#cards .card")];
  const searched = (card) => [...card.querySelectorAll("h3 a, .question, .options, dd, .tree")].map((part) => part.textContent).join(" ");
  const words = new Map(cards.map((card) => [card, searched(card).toLowerCase()]));
  const task = document.getElementById("filter-task"), text = document.getElementById("filter-text");
  const more = document.getElementById("show-more"), FIRST = 30;
  let all = false;
  const verdicts = [...form.elements.verdict];
  const taskNames = new Map([...task.options].map((option) => [option, option.textContent]));

  const chosen = () => ({ task: task.value, verdict: form.elements.verdict.value, find: text.value.trim().toLowerCase() });
  const fits = (card, want) =>
    (!want.task || card.dataset.task === want.task) &&
    (!want.verdict || card.dataset.verdict === want.verdict) &&
    want.find.split(/\s+/).every((word) => words.get(card).includes(word));
  const count = (want) => cards.filter((card) => fits(card, want)).length;

  function show() {
    const want = chosen();
    let left = 0;
    for (const card of cards) {
      card.hidden = !fits(card, want);
      left += !card.hidden;
      card.classList.toggle("later", !all && left > FIRST); // printing shows these too
    }
    more.hidden = all || left <= FIRST;
    more.textContent = `Show the other ${left - FIRST}`;
    document.getElementById("sample-count").textContent = left === cards.length ? `${left} samples` : `${left} of ${cards.length} samples`;
    document.getElementById("no-samples").hidden = left > 0;
    for (const [option, name] of taskNames) option.textContent = `${name} (${count({ ...want, task: option.value })})`;
    for (const output of form.querySelectorAll("output")) output.textContent = count({ ...want, verdict: output.dataset.count });
  }

  function change() {
    const want = chosen();
    all = false;
    address.set({ ...want, find: text.value.trim() });
    show();
  }

  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", change);
  document.getElementById("clear-filters").addEventListener("click", () => {
    task.value = text.value = "";
    verdicts[0].checked = true;
    change();
    text.focus();
  });
  more.addEventListener("click", () => {
    const next = cards.find((card) => !card.hidden && card.classList.contains("later"));
    all = true;
    show();
    next.querySelector("a").focus();
  });
  // A link to one sample shows it even where the filters had hidden it.
  function followSample() {
    const target = cards.find((card) => card.id === location.hash.slice(1));
    if (!target || target.checkVisibility()) return;
    if (target.hidden) {
      task.value = text.value = "";
      verdicts[0].checked = true;
    }
    all = true;
    show();
    target.scrollIntoView();
  }
  window.addEventListener("hashchange", followSample);
  address.follow(() => {
    task.value = [...task.options].some((option) => option.value === address.get("task")) ? address.get("task") : "";
    (verdicts.find((box) => box.value === address.get("verdict")) || verdicts[0]).checked = true;
    text.value = address.get("find");
    show();
    if (["task", "verdict", "find"].some((name) => address.get(name))) document.getElementById("samples").scrollIntoView();
  });
  followSample();
})();
