"use strict";

// Draws polygons on a picture, by hand or by keys. Corners are shares of width and height, 0 to 1.

const draw = find("draw");
const svg = draw.querySelector("svg");
const zones = JSON.parse(draw.dataset.zones);
let corners = [];
let cross = [0.5, 0.5];
let dragged = null; // [kind, shape, corner]
let dirty = false;

const make = (name, attributes) => {
  const one = document.createElementNS("http://www.w3.org/2000/svg", name);
  for (const [key, value] of Object.entries(attributes)) one.setAttribute(key, value);
  return one;
};
const points = (shape) => shape.map(([x, y]) => `${x},${y}`).join(" ");
const kind = () => document.querySelector("[name=kind]:checked").value;
const share = (value) => Math.round(Math.min(Math.max(value, 0), 1) * 1e4) / 1e4;

function paint() {
  svg.replaceChildren();
  const { width, height } = svg.getBoundingClientRect();
  const dot = (at, radius, name) => svg.append(make("ellipse", {
    cx: at[0], cy: at[1], rx: radius / (width || 1), ry: radius / (height || 1), class: name,
  }));
  for (const one of ["include", "exclude"]) {
    for (const shape of zones[one]) {
      svg.append(make("polygon", { points: points(shape), class: one }));
      shape.forEach((at) => dot(at, 5, "corner"));
    }
  }
  if (corners.length) {
    svg.append(make("polyline", { points: points([...corners, cross]), class: kind() }));
    corners.forEach((at) => dot(at, 5, "corner"));
  }
  if (document.activeElement === draw) {
    const [x, y] = cross;
    svg.append(make("line", { x1: x, x2: x, y1: y - 0.03, y2: y + 0.03, class: "cross" }));
    svg.append(make("line", { x1: x - 0.02, x2: x + 0.02, y1: y, y2: y, class: "cross" }));
  }
  list();
}
function list() {
  const shapes = find("shapes");
  shapes.replaceChildren();
  for (const one of ["exclude", "include"]) {
    zones[one].forEach((shape, number) => {
      const row = document.createElement("li");
      row.textContent = `${one === "exclude" ? "left out" : "watched"}, ${shape.length} corners `;
      const drop = document.createElement("button");
      drop.type = "button";
      drop.textContent = "Remove";
      drop.setAttribute("aria-label", `Remove shape ${number + 1} that is ${one === "exclude" ? "left out" : "watched"}`);
      drop.addEventListener("click", () => { zones[one].splice(number, 1); changed(); draw.focus(); });
      row.append(drop);
      shapes.append(row);
    });
  }
}
function changed() {
  dirty = true;
  find("saved").textContent = "Not saved yet.";
  paint();
}
function add() {
  const last = corners.at(-1);
  if (last && last[0] === cross[0] && last[1] === cross[1]) return;
  corners.push([...cross]);
  changed();
}
function close() {
  if (corners.length < 3) {
    find("saved").textContent = `A shape needs at least 3 corners; this one has ${corners.length}.`;
    return;
  }
  zones[kind()].push(corners);
  corners = [];
  changed();
}
async function save() {
  if (corners.length) close();
  if (corners.length) return;
  const answer = await fetch(draw.dataset.save, {
    method: "PUT",
    headers: { "Content-Type": "application/json", ...CSRF },
    body: JSON.stringify({ include: zones.include, exclude: zones.exclude }),
  });
  const said = await answer.json();
  if (!answer.ok) return fail(typeof said.detail === "string" ? said.detail : "It could not be saved.");
  fail("");
  dirty = false;
  find("yaml").textContent = said.yaml;
  find("saved").textContent = `Saved in ${said.file}. ${draw.dataset.holds}`;
}

// What these zones would have made of the last week; nothing is saved by asking.
async function would() {
  if (corners.length) close();
  if (corners.length) return;
  const button = find("would");
  const waits = document.createElement("p");
  waits.className = "soft";
  waits.textContent = "Looking at what was kept of the last 7 days ...";
  button.disabled = true;
  find("outcome").replaceChildren(waits);
  try {
    const answer = await fetch(draw.dataset.would, {
      method: "POST",
      headers: { "Content-Type": "application/json", ...CSRF },
      body: JSON.stringify({ include: zones.include, exclude: zones.exclude }),
    });
    const text = await answer.text();
    if (answer.ok) find("outcome").innerHTML = text;
    else {
      let said = text;
      try { said = JSON.parse(text).detail; } catch { /* a sentence */ }
      waits.textContent = typeof said === "string" && said ? said : SILENT;
    }
  } catch {
    waits.textContent = SILENT;
  }
  button.disabled = false;
}

const at = (event) => {
  const { left, top, width, height } = svg.getBoundingClientRect();
  return [share((event.clientX - left) / width), share((event.clientY - top) / height)];
};
function near(event) {
  const { width, height } = svg.getBoundingClientRect();
  const [x, y] = at(event);
  for (const one of ["exclude", "include"]) {
    for (const shape of zones[one]) {
      const corner = shape.find(([a, b]) => Math.hypot((a - x) * width, (b - y) * height) < 12);
      if (corner) return corner;
    }
  }
  return null;
}
draw.addEventListener("pointerdown", (event) => {
  draw.focus();
  dragged = corners.length ? null : near(event);
  cross = at(event);
  if (dragged) draw.setPointerCapture(event.pointerId);
  else add();
  event.preventDefault();
});
draw.addEventListener("pointermove", (event) => {
  if (dragged) {
    [dragged[0], dragged[1]] = at(event);
    changed();
  } else if (corners.length) {
    cross = at(event);
    paint();
  }
});
draw.addEventListener("pointerup", () => { dragged = null; });
draw.addEventListener("dblclick", close);
const MOVES = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] };
draw.addEventListener("keydown", (event) => {
  const move = MOVES[event.key];
  const by = event.shiftKey ? 0.005 : 0.025;
  if (move) {
    cross = [share(cross[0] + by * move[0]), share(cross[1] + by * move[1])];
    paint();
  } else if (event.key === " ") add();
  else if (event.key === "Enter") close();
  else if (event.key === "Backspace") { corners.pop(); changed(); }
  else if (event.key === "Escape") { corners = []; changed(); }
  else return;
  event.preventDefault();
});
for (const name of ["focus", "blur"]) draw.addEventListener(name, paint);
find("save").addEventListener("click", save);
find("would").addEventListener("click", would);
find("close-shape").addEventListener("click", close);
addEventListener("resize", paint);
addEventListener("beforeunload", (event) => { if (dirty) event.preventDefault(); });
draw.querySelector("img").addEventListener("load", paint);
paint();
if ("proposed" in draw.dataset) {
  find("saved").textContent = "Proposed, not saved yet.";
  would();
}
