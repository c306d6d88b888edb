"use strict";

const tabs = [...document.querySelectorAll("[data-view]")];
const heads = [...document.querySelectorAll("[data-sort]")];
const NOTHING = { rating: null, locked: false, excluded: false, note: "" };

let view = "ups";
let sort = ""; // a column, or the view's own order
let falling = true;
let rows = []; // as the server sent them
let count = 0; // of the view, more than what was sent
let chosen = 0; // place of the chosen row
const picked = new Set(); // nouns that the next act is for

async function load(start) {
  const asked = new URLSearchParams({ view, query: find("query").value, start, sort, falling });
  const found = await ask(`rows?${asked}`);
  rows = start === 0 ? found.rows : rows.concat(found.rows);
  count = found.count;
  if (start === 0) { chosen = 0; picked.clear(); }
  told(found);
  draw();
}

function told(found) {
  find("undo").disabled = found.steps === 0;
  const [looked, edited, all] = [found.looked_at, found.edited, found.nouns].map((n) => n.toLocaleString("en"));
  find("counts").textContent = `${looked} looked at, ${edited} edited, of ${all} nouns`;
}

const element = (name, cls, text) => {
  const made = document.createElement(name);
  if (cls) made.className = cls;
  if (text !== undefined) made.textContent = text;
  return made;
};

function draw() {
  for (const tab of tabs) tab.setAttribute("aria-selected", tab.dataset.view === view);
  for (const head of heads) {
    const order = head.dataset.sort === sort ? (falling ? "descending" : "ascending") : "none";
    head.closest("th").setAttribute("aria-sort", order);
  }
  find("sort").value = sort;
  const query = find("query").value.trim();
  const meaning = tabs.find((tab) => tab.dataset.view === view).dataset.meaning;
  const order = sort ? `by ${sort}` : meaning;
  find("meaning").textContent = `${count.toLocaleString("en")} nouns ${query ? `with "${query}"` : `· ${order}`}`;
  find("rows").replaceChildren(...rows.map(line));
  find("more").hidden = rows.length >= count;
  bulk();
  find("rows").children[chosen]?.scrollIntoView({ block: "nearest" });
}

function bulk() {
  find("bulk").hidden = picked.size === 0;
  find("picked").textContent = picked.size;
  find("all").checked = rows.length > 0 && rows.every((row) => picked.has(row.noun));
}

function line(row, place) {
  const said = row.edit ?? NOTHING;
  const made = element("tr", `${place === chosen ? "chosen" : ""} ${row.excluded !== null ? "out" : ""}`);
  const noun = element("td", "noun");
  noun.append(element("b", "", row.noun));
  if (row.meaning) noun.append(element("span", "soft", row.meaning));
  const gauge = element("span", "gauge");
  gauge.append(element("i"));
  gauge.firstChild.style.width = `${100 * (row.rating - 1) / 9}%`;
  const rated = figure("rating");
  rated.append(gauge, row.rating.toFixed(1));
  const often = figure("frequency");
  often.append(`${row.frequency} (${row.base_frequency})`);
  const moved = figure("bits");
  moved.append(element("span", `bits ${row.bits > 0 ? "up" : "down"}`, `${row.bits > 0 ? "+" : ""}${row.bits.toFixed(1)}`));
  const marks = element("td", "marks");
  for (const flag of row.flags) marks.append(element("span", "mark", flag.replaceAll("_", " ")));
  if (row.edit) marks.append(element("span", "mark said", "your word"));
  if (row.excluded) marks.append(element("span", "mark gone", row.excluded));
  const note = element("td", "noted");
  note.append(noteField(said, place));
  made.append(pickField(row.noun), noun, rated, often, moved, marks, acts(said, row.rating, place), note);
  made.addEventListener("click", (event) => {
    if (event.target.closest("button, input, label") === null) choose(place);
  });
  return made;
}

function figure(name) {
  const cell = element("td", `number ${name}`);
  cell.dataset.name = name; // shown where there is no head: on a phone
  return cell;
}

function pickField(noun) {
  const cell = element("td", "pick");
  const label = element("label");
  const box = element("input");
  Object.assign(box, { type: "checkbox", checked: picked.has(noun) });
  box.setAttribute("aria-label", `pick ${noun}`);
  box.addEventListener("change", () => pick(noun, box.checked));
  label.append(box);
  cell.append(label);
  return cell;
}

function pick(noun, on) {
  if (on) picked.add(noun); else picked.delete(noun);
  bulk();
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
  Object.assign(field, { value: said.note, placeholder: "note", maxLength: 500 });
  field.setAttribute("aria-label", `note on ${rows[place].noun}`);
  field.addEventListener("change", () => change(place, { note: field.value }));
  return field;
}

function choose(place) {
  if (rows.length === 0) return;
  chosen = Math.min(Math.max(place, 0), rows.length - 1);
  [...find("rows").children].forEach((row, at) => row.classList.toggle("chosen", at === chosen));
  find("rows").children[chosen]?.scrollIntoView({ block: "nearest" });
  const { noun } = rows[chosen];
  run(async () => told(await ask("looked_at", { noun })));
}

// Rows as they are now, wherever they stand by then.
function put(fresh) {
  for (const row of fresh) {
    const now = rows.findIndex((one) => one.noun === row.noun);
    if (now >= 0) rows[now] = row;
  }
}

function send(nouns, said) {
  return async () => {
    const found = await ask("edits", { nouns, ...said });
    put(found.rows);
    told(found);
    draw();
  };
}

function change(place, part) {
  const { noun } = rows[place];
  chosen = place; // at once, so that an answer that comes late does not move it back
  run(async () => {
    const row = rows.find((one) => one.noun === noun);
    if (row === undefined) return;
    await send([noun], part === null ? NOTHING : { ...(row.edit ?? NOTHING), ...part })();
  }, draw); // what was refused gives way to what is kept
}

// A locked noun keeps the rating that it has now, whatever later runs say.
function lock(place) {
  const said = rows[place].edit ?? NOTHING;
  change(place, said.locked ? { locked: false } : { locked: true, rating: said.rating ?? rows[place].rating });
}

const BULK = {
  rate: () => ({ ...NOTHING, rating: Number(find("stars").value) }),
  out: () => ({ ...NOTHING, excluded: true }),
  clear: () => NOTHING,
};

function actOnPicked(kind) {
  if (kind === "rate" && find("stars").value === "") { find("stars").focus(); return; }
  const nouns = [...picked];
  if (kind === "none") { picked.clear(); draw(); return; }
  run(async () => {
    await send(nouns, BULK[kind]())();
    picked.clear();
    draw();
  });
}

function addNoun() {
  const noun = find("new").value.trim();
  if (!noun) return;
  run(async () => {
    const row = await ask("nouns", { noun });
    find("new").value = "";
    find("query").value = "";
    view = "edited";
    await load(0);
    choose(Math.max(rows.findIndex((one) => one.noun === row.noun), 0));
  });
}

function undo() {
  run(async () => {
    const fresh = await ask("undo", {});
    if (fresh.length === 0) return;
    await load(0);
    choose(Math.max(rows.findIndex((one) => one.noun === fresh[0].noun), 0));
  });
}

function end() {
  run(async () => {
    await ask("done", {});
    const ended = element("p", "ended", "Done. The dictionary is being written; the terminal says where, and what is next. This page can be closed.");
    document.body.replaceChildren(ended, find("fault"));
  });
}

function show(other) {
  view = other;
  sort = "";
  run(() => load(0));
}

function order(column) {
  falling = column === sort ? !falling : column !== "noun";
  sort = column;
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
  p: () => { pick(rows[chosen].noun, !picked.has(rows[chosen].noun)); draw(); },
  a: () => find("new").focus(),
  "/": () => find("query").focus(),
};
const ALWAYS = new Set(["/", "a", "u"]);

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.target.matches("input, select")) {
    if (event.key === "Escape" || (event.key === "Enter" && event.target.id !== "new")) event.target.blur();
    return;
  }
  const key = event.key.toLowerCase();
  if (/^[0-9]$/.test(key) && rows.length) {
    event.preventDefault();
    change(chosen, { rating: key === "0" ? 10 : Number(key) });
  } else if (KEYS[key] && (rows.length || ALWAYS.has(key))) {
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
find("done").addEventListener("click", end);
find("sort").addEventListener("change", () => order(find("sort").value));
find("add").addEventListener("submit", (event) => { event.preventDefault(); addNoun(); });
find("all").addEventListener("change", () => {
  for (const row of rows) pick(row.noun, find("all").checked);
  draw();
});
for (const button of document.querySelectorAll("[data-bulk]")) button.addEventListener("click", () => actOnPicked(button.dataset.bulk));
for (const tab of tabs) tab.addEventListener("click", () => show(tab.dataset.view));
for (const head of heads) head.addEventListener("click", () => order(head.dataset.sort));
show("ups");
