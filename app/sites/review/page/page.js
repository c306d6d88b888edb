"use strict";

const tabs = [...document.querySelectorAll("[data-view]")];
const NOTHING = { rating: null, locked: false, excluded: false, note: "" };

let view = "ups";
let rows = []; // as the server sent them
let count = 0; // of the view, more than what was sent
let chosen = 0; // place of the chosen row

async function load(start) {
  const asked = new URLSearchParams({ view, query: find("query").value, start });
  const found = await ask(`rows?${asked}`);
  rows = start === 0 ? found.rows : rows.concat(found.rows);
  count = found.count;
  if (start === 0) chosen = 0;
  steps(found.steps);
  draw();
}

function steps(number) {
  find("undo").disabled = number === 0;
}

const element = (name, cls, text) => {
  const made = document.createElement(name);
  if (cls) made.className = cls;
  if (text !== undefined) made.textContent = text;
  return made;
};

function draw() {
  for (const tab of tabs) tab.setAttribute("aria-selected", tab.dataset.view === view);
  const meaning = tabs.find((tab) => tab.dataset.view === view).dataset.meaning;
  find("meaning").textContent = `${count.toLocaleString("en")} nouns · ${meaning}`;
  find("rows").replaceChildren(...rows.map(line));
  find("more").hidden = rows.length >= count;
  find("rows").children[chosen]?.scrollIntoView({ block: "nearest" });
}

function line(row, place) {
  const said = row.edit ?? NOTHING;
  const out = said.excluded || (row.excluded !== null && row.edit === null);
  const made = element("tr", `${place === chosen ? "chosen" : ""} ${out ? "out" : ""}`);
  const rating = said.rating ?? row.rating;
  const gauge = element("span", "gauge");
  gauge.append(element("i"));
  gauge.firstChild.style.width = `${100 * (rating - 1) / 9}%`;
  const rated = element("td", "number");
  rated.append(gauge, rating.toFixed(1));
  const moved = element("td", "number");
  moved.append(element("span", `bits ${row.bits > 0 ? "up" : "down"}`, `${row.bits > 0 ? "+" : ""}${row.bits.toFixed(1)}`));
  const marks = element("td");
  for (const flag of row.flags) marks.append(element("span", "mark", flag.replaceAll("_", " ")));
  if (row.edit) marks.append(element("span", "mark said", "your word"));
  if (row.excluded) marks.append(element("span", "mark gone", row.excluded));
  const note = element("td");
  note.append(noteField(said, place));
  made.append(
    element("td", "noun", row.noun), rated,
    element("td", "number", `${row.frequency} (${row.base_frequency})`),
    moved, marks, acts(said, rating, place), note,
  );
  made.addEventListener("click", (event) => {
    if (event.target.closest("button, input") === null) choose(place);
  });
  return made;
}

function acts(said, rating, place) {
  const cell = element("td");
  const box = element("div", "acts");
  const field = element("input");
  Object.assign(field, { type: "number", min: 1, max: 10, step: 0.5, value: said.rating ?? "", placeholder: rating.toFixed(1) });
  field.setAttribute("aria-label", `rating of ${rows[place].noun}`);
  field.addEventListener("change", () => change(place, { rating: field.value === "" ? null : Number(field.value) }));
  box.append(field, toggle("leave out", said.excluded, () => change(place, { excluded: !said.excluded })));
  box.append(toggle("lock", said.locked, () => lock(place)));
  cell.append(box);
  return cell;
}

function toggle(name, on, act) {
  const button = element("button", "", name);
  button.type = "button";
  button.setAttribute("aria-pressed", on);
  button.addEventListener("click", act);
  return button;
}

function noteField(said, place) {
  const field = element("input", "note");
  Object.assign(field, { value: said.note, placeholder: "…", maxLength: 500 });
  field.setAttribute("aria-label", `note on ${rows[place].noun}`);
  field.addEventListener("change", () => change(place, { note: field.value }));
  return field;
}

function choose(place) {
  chosen = Math.min(Math.max(place, 0), rows.length - 1);
  [...find("rows").children].forEach((row, at) => row.classList.toggle("chosen", at === chosen));
  find("rows").children[chosen]?.scrollIntoView({ block: "nearest" });
}

function change(place, part) {
  const noun = rows[place].noun;
  chosen = place; // at once, so that an answer that comes late does not move it back
  run(async () => {
    const now = rows.findIndex((row) => row.noun === noun);
    if (now < 0) return;
    const said = part === null ? NOTHING : { ...(rows[now].edit ?? NOTHING), ...part };
    rows[now] = await ask("edits", { noun, ...said });
    steps(1);
    draw();
  }, draw); // what was refused gives way to what is kept
}

// A locked noun keeps the rating that it has now, whatever later runs say.
function lock(place) {
  const said = rows[place].edit ?? NOTHING;
  change(place, said.locked ? { locked: false } : { locked: true, rating: said.rating ?? rows[place].rating });
}

function undo() {
  run(async () => {
    const row = await ask("undo", {});
    if (row === null) return;
    await load(0);
    choose(Math.max(rows.findIndex((one) => one.noun === row.noun), 0));
  });
}

function show(other) {
  view = other;
  run(() => load(0));
}

const KEYS = {
  arrowdown: () => choose(chosen + 1),
  arrowup: () => choose(chosen - 1),
  u: undo,
  x: () => change(chosen, { excluded: !(rows[chosen].edit ?? NOTHING).excluded }),
  l: () => lock(chosen),
  c: () => change(chosen, null),
  n: () => find("rows").children[chosen].querySelector(".note").focus(),
  "/": () => find("query").focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input")) {
    if (event.key === "Escape" || event.key === "Enter") event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (/^[0-9]$/.test(key) && rows.length) {
    event.preventDefault();
    change(chosen, { rating: key === "0" ? 10 : Number(key) });
  } else if (KEYS[key] && (rows.length || key === "/" || key === "u")) {
    event.preventDefault();
    KEYS[key]();
  }
});

let typing;
find("query").addEventListener("input", () => {
  clearTimeout(typing);
  typing = setTimeout(() => run(() => load(0)), 150);
});
find("more").addEventListener("click", () => run(() => load(rows.length)));
find("undo").addEventListener("click", undo);
for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.view));
show("ups");
