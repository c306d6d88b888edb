"use strict";
const all = (what, within = document) => [...within.querySelectorAll(what)];
const one = (what) => document.querySelector(what);
const view = one("#view");
let kind = "";
let at = 0;

const pressed = (button) => button?.getAttribute("aria-pressed") === "true";
const turn = (button, on) => button.setAttribute("aria-pressed", on);
const file = (card) => card.querySelector(".file").textContent.trim();
const shown = () => all(".card").filter((card) => card.checkVisibility());

function toggle(id, name, inverse) {
  const button = one(id);
  turn(button, !pressed(button));
  document.body.classList.toggle(name, pressed(button) !== inverse);
}

function filter() {
  const wrong = pressed(one("#wrong"));
  for (const card of all(".card")) {
    card.hidden = (kind && card.dataset.kind !== kind) || (wrong && card.dataset.wrong !== "1");
  }
  for (const chip of all(".chips button")) turn(chip, chip.dataset.kind === kind);
}

function enlarge(step, cards = shown()) {
  if (!cards.length) return;
  at = (at + step + cards.length) % cards.length;
  const card = cards[at];
  one("#view-title").textContent =
    `${all("h3, header b", card).map((part) => part.textContent).join(" · ")} · ${file(card)}`;
  one("#stage").replaceChildren(card.querySelector(".fit").cloneNode(true));
  if (!view.open) view.showModal();
}

one("#heat").onclick = () => toggle("#heat", "hot", false);
one("#boxes").onclick = () => toggle("#boxes", "boxless", true);
if (one("#wrong")) {
  one("#wrong").onclick = () => {
    turn(one("#wrong"), !pressed(one("#wrong")));
    filter();
  };
}
for (const chip of all(".chips button")) {
  chip.onclick = () => {
    kind = kind === chip.dataset.kind ? "" : chip.dataset.kind;
    filter();
  };
}
for (const shot of all(".shot")) {
  shot.onclick = () => {
    at = shown().indexOf(shot.closest(".card"));
    enlarge(0);
  };
}
one("#earlier").onclick = () => enlarge(-1);
one("#later").onclick = () => enlarge(1);
one("#close").onclick = () => view.close();
addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "h") one("#heat").click();
  if (event.key === "b") one("#boxes").click();
  if (event.key === "w") one("#wrong")?.click();
  if (view.open && event.key === "ArrowLeft") enlarge(-1);
  if (view.open && event.key === "ArrowRight") enlarge(1);
});
