"use strict";

const buttons = [...document.querySelectorAll("#keys button")];
const names = Object.fromEntries(buttons.map((b) => [b.dataset.category, b.dataset.name]));

let state = null; // of the image that is shown
let chosen = 0; // place of the chosen noun
let loading = true; // the image is not to be seen yet

const firstOpen = (from) => {
  const order = state.nouns.map((_, step) => (from + step) % state.nouns.length);
  return order.find((place) => state.nouns[place].category === null);
};

function show(next) {
  const other = state === null || state.number !== next.number;
  state = next;
  if (other) showImage();
  draw();
}

function showImage() {
  const image = find("image");
  loading = true;
  chosen = firstOpen(0) ?? 0;
  find("broken").hidden = true;
  document.querySelector("figure").classList.remove("large");
  image.src = `images/${state.number}`;
  image.alt = state.name;
  find("name").textContent = state.name;
  find("place").textContent = `image ${state.number + 1} of ${state.progress.images}`;
  history.replaceState(null, "", `#${state.number + 1}`);
}

function draw() {
  const { nouns, nouns_done, images, images_done } = state.progress;
  const done = nouns_done / nouns;
  const bar = document.querySelector(".bar");
  bar.firstElementChild.style.width = `${100 * done}%`;
  bar.setAttribute("aria-valuenow", Math.round(100 * done));
  find("progress").textContent =
    `${nouns_done} of ${nouns} nouns · ${images_done} of ${images} images`;
  find("nouns").replaceChildren(...state.nouns.map(row));
  find("nouns").children[chosen].scrollIntoView({ block: "nearest" });
  const noun = state.nouns[chosen];
  for (const button of buttons) {
    button.classList.toggle("pressed", button.dataset.category === noun.category);
  }
  find("look").hidden = false;
  find("look").querySelector("b").textContent = noun.noun;
  for (const link of document.querySelectorAll("[data-look]")) {
    link.href = link.dataset.look + encodeURIComponent(noun.noun);
  }
  find("done").hidden = state.next_open !== null;
  document.querySelector("[data-act=undo]").disabled = state.steps === 0;
  document.querySelector("[data-act=open]").disabled = state.next_open === null;
}

function row({ noun, category }, place) {
  const line = document.createElement("li");
  const label = document.createElement("span");
  const chip = document.createElement("small");
  label.textContent = noun;
  chip.textContent = category === null ? "–" : names[category];
  if (category !== null) chip.className = category;
  line.classList.toggle("chosen", place === chosen);
  line.append(label, chip);
  line.addEventListener("click", () => choose(place));
  return line;
}

function choose(place) {
  chosen = Math.min(Math.max(place, 0), state.nouns.length - 1);
  draw();
}

function judge(category) {
  // What is typed before the image is seen, or was meant for the image before it, is not for it.
  if (loading) return;
  const meant = state.number;
  run(async () => {
    if (state.number !== meant) return;
    const open = firstOpen(0) !== undefined;
    const noun = state.nouns[chosen].noun;
    const next = await ask(`items/${meant}`, { noun, category });
    const place = chosen;
    state = next;
    if (category !== null) chosen = firstOpen(place + 1) ?? place;
    show(next);
    const finished = open && firstOpen(0) === undefined && next.next_open !== null;
    if (finished) await go(next.next_open);
  });
}

async function go(number) {
  if (number < 0 || number >= state.progress.images) return;
  show(await ask(`items/${number}`));
}

async function undo() {
  const next = await ask("undo", {});
  if (next === null) return;
  show(next);
  chosen = Math.max(next.nouns.findIndex(({ noun }) => noun === next.undone), 0);
  draw();
}

const acts = {
  undo: () => run(undo),
  previous: () => run(() => go(state.number - 1)),
  next: () => run(() => go(state.number + 1)),
  open: () => run(() => (state.next_open === null ? null : go(state.next_open))),
};

const typed = {
  u: acts.undo,
  backspace: acts.undo,
  arrowleft: acts.previous,
  arrowright: acts.next,
  " ": acts.open,
  arrowup: () => choose(chosen - 1),
  arrowdown: () => choose(chosen + 1),
  x: () => judge(null),
  l: () => document.querySelectorAll("[data-look]")[0].click(),
  k: () => document.querySelectorAll("[data-look]")[1].click(),
};
for (const button of buttons) {
  const press = () => judge(button.dataset.category);
  typed[button.dataset.key] = press;
  button.addEventListener("click", () => { press(); button.blur(); });
}
for (const button of document.querySelectorAll("[data-act]")) {
  button.addEventListener("click", () => { acts[button.dataset.act](); button.blur(); });
}

document.addEventListener("keydown", (event) => {
  const key = event.key.toLowerCase();
  const back = key === "z" && (event.ctrlKey || event.metaKey);
  if (state === null || (!back && (event.ctrlKey || event.metaKey || event.altKey))) return;
  const act = back ? acts.undo : typed[key];
  if (!act || (event.target.closest("button, a") && key === " ")) return;
  event.preventDefault();
  // A key that is held down must not judge one noun after the other.
  if (!event.repeat || key.startsWith("arrow")) act();
});

find("image").addEventListener("load", () => {
  loading = false;
  find("image").hidden = false;
  if (state.next_open !== null) new Image().src = `images/${state.next_open}`;
});
find("image").addEventListener("error", () => {
  loading = false;
  find("image").hidden = true;
  find("broken").hidden = false;
  run(() => ask(`images/${state.number}`).catch((error) => {
    find("broken").textContent = `${state.name}: ${error.message}`;
  }));
});
find("image").addEventListener("click", () => {
  document.querySelector("figure").classList.toggle("large");
});

run(async () => {
  const place = Number(location.hash.slice(1));
  const asked = Number.isInteger(place) && place > 0;
  show(await (asked ? ask(`items/${place - 1}`).catch(() => ask("start")) : ask("start")));
});
