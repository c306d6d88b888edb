"use strict";

const find = (id) => document.getElementById(id);
const all = (what, within = document) => [...within.querySelectorAll(what)];

// ---- theme

find("theme").addEventListener("click", () => {
  const root = document.documentElement;
  const dark = root.dataset.theme
    ? root.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  root.dataset.theme = dark ? "light" : "dark";
  try { localStorage.setItem("nomaly-theme", root.dataset.theme); } catch { /* switched off */ }
});

// ---- what is told to whoever looks or listens

let quiet;
function tell(text) {
  const news = find("news");
  news.textContent = text;
  news.classList.add("up");
  clearTimeout(quiet);
  quiet = setTimeout(() => news.classList.remove("up"), 6000);
}
function fail(text) {
  find("fault").textContent = text;
  find("fault").hidden = !text;
}
const SILENT = "Nomaly does not answer. Is it still running?";
document.addEventListener("htmx:response:error", (event) => {
  const { ctx } = event.detail;
  if (ctx.response?.status === 401) return void location.assign("/login");
  let text = ctx.text ?? "";
  try { text = JSON.parse(text).detail; } catch { /* as it is */ }
  fail(typeof text === "string" && text ? text : SILENT);
});
document.addEventListener("htmx:error", () => fail(SILENT));
document.addEventListener("htmx:before:request", (event) => {
  // What is asked for by itself every few seconds does not wipe away what went wrong.
  if (!event.detail.ctx?.sourceElement?.matches?.("[hx-trigger^=every]")) fail("");
});

// ---- what changes something brings along that only this page knows

const CSRF = { "X-CSRF-Token": document.querySelector("meta[name=csrf]").content };
document.addEventListener("htmx:config:request", (event) => {
  Object.assign(event.detail.ctx.request.headers, CSRF);
});
async function post(button) {
  button.disabled = true;
  fail("");
  try {
    const answer = await fetch(button.dataset.post, { method: "POST", headers: CSRF });
    if (answer.status === 401) return void location.assign("/login");
    const text = await answer.text();
    let said = {};
    try { said = JSON.parse(text); } catch { /* a sentence */ }
    if (answer.ok) tell(said.said);
    else fail(typeof said.detail === "string" ? said.detail : text || SILENT);
  } catch {
    fail(SILENT);
  } finally {
    button.disabled = false;
  }
}
document.addEventListener("click", (event) => {
  const button = event.target.closest("[data-post]");
  if (button) post(button);
});

// ---- live pictures: a stream where one or two are shown, else one picture after the other. A
// browser opens six connections to a server, and streams would take them all.

const MOST_STREAMS = 2;
const PAUSE_MS = 400;
const seen = new WeakSet();
const inView = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    target.inView = isIntersecting;
    play(target);
  }
});
function play(img) {
  clearTimeout(img.timer);
  const streams = all("img.live").length <= MOST_STREAMS;
  if (!img.inView || document.hidden || !img.isConnected) {
    // Without an address the stream ends, and the server draws no more for it.
    if (img.hasAttribute("src") && img.streams) img.removeAttribute("src");
    return;
  }
  if (streams && img.streams && img.hasAttribute("src")) return;
  img.streams = streams;
  img.src = streams ? img.dataset.live : `${img.dataset.frame}?n=${Date.now()}`;
}
function again(event) {
  const img = event.target;
  if (!img.streams) img.timer = setTimeout(play, event.type === "error" ? 3000 : PAUSE_MS, img);
  else if (event.type === "error") {
    img.removeAttribute("src");
    img.timer = setTimeout(play, 3000, img);
  }
}
function lookAround() {
  for (const img of all("img.live")) {
    if (seen.has(img)) continue;
    seen.add(img);
    img.addEventListener("load", again);
    img.addEventListener("error", again);
    inView.observe(img);
  }
  for (const one of all("[data-left]")) one.style.left = `${one.dataset.left}%`;
}
document.addEventListener("visibilitychange", () => all("img.live").forEach(play));
document.addEventListener("htmx:after:swap", lookAround);

// ---- events as they change

const cards = () => all("#list article.card");
const card = (key) => cards().find((one) => one.dataset.key === key);
const query = () => {
  const form = find("filters");
  return form ? new URLSearchParams(new FormData(form)).toString() : find("list")?.dataset.query ?? "";
};
const address = (key) => key.split("/").map(encodeURIComponent).join("/");
const MOST_CARDS = 300;
const waiting = new Map();
let working = false;

async function refresh() {
  if (working) return;
  working = true;
  for (const [key, event] of waiting) {
    waiting.delete(key);
    try { await renew(key, event); } catch { /* the next change tells it again */ }
  }
  working = false;
}
// Whether somebody is at work in a card, or it waits for an answer: it is left alone then.
const busy = (one) => one && (one.querySelector(".htmx-request")
  || (one.contains(document.activeElement) && document.activeElement !== one));
async function renew(key, event) {
  if (busy(card(key))) return;
  if (event.gone) return void card(key)?.remove();
  const only = find("list").dataset.only;
  if (only && only !== key) return;
  const answer = await fetch(`/parts/card/${address(key)}?${only ? "large=yes" : query()}`);
  const text = await answer.text();
  const before = card(key);
  if (busy(before)) return;
  if (answer.status === 204) {
    if (before !== document.activeElement) before?.remove();
    return;
  }
  if (!answer.ok || (!before && "meaning" in find("list").dataset)) return;
  const holder = document.createElement("template");
  holder.innerHTML = text;
  const now = holder.content.querySelector("article");
  if (before) {
    const focused = before === document.activeElement;
    before.replaceWith(now);
    if (focused) now.focus({ preventScroll: true });
  } else {
    const next = cards().find((one) => Number(one.dataset.start) <= event.start_us);
    if (!next && cards().length) return; // it lies further back than what is shown
    find("list").querySelector(".empty")?.remove();
    next ? next.before(now) : find("list").prepend(now);
    now.classList.add("fresh");
    if (event.state === "open") tell(`New: ${event.headline}, ${event.folder}`);
  }
  htmx.process(now);
  cards().slice(MOST_CARDS).forEach((one) => one.remove());
}

let news;
function listen() {
  const link = find("link");
  const say = (state, text) => {
    link.dataset.state = state;
    link.lastElementChild.textContent = text;
  };
  news?.close();
  if (document.hidden) return;
  news = new EventSource(`/api/v1/stream${listen.last ? `?since=${listen.last}` : ""}`);
  const note = (event) => { if (event.lastEventId) listen.last = event.lastEventId; };
  news.addEventListener("hello", (event) => { note(event); say("on", "up to date"); });
  news.addEventListener("event", (event) => {
    note(event);
    const said = JSON.parse(event.data);
    if (!find("list")) return;
    waiting.set(`${said.folder}/${said.id}`, said);
    refresh();
  });
  news.addEventListener("camera", (event) => {
    const said = JSON.parse(event.data);
    tell(said.state === "lost" ? `${said.folder} is blind: ${said.fault}` : `${said.folder} sees again`);
  });
  news.onerror = () => say("off", "no connection");
}
document.addEventListener("visibilitychange", listen);
addEventListener("pagehide", () => news?.close());

// ---- what is said of an event

let current = find("list")?.dataset.only ?? null; // key of the card that keys act on
let place = 0; // where it is in the list, for when it has left that
// What keys act in: the event that is large, or its card.
const acted = () => (find("large").open ? find("large").querySelector("article") : current && card(current));
document.addEventListener("focusin", (event) => {
  const one = event.target.closest?.("article.card");
  if (!one) return;
  current = one.dataset.key;
  if (card(current)) place = cards().indexOf(card(current));
});
document.addEventListener("htmx:after:swap", (event) => {
  const { target } = event.detail.ctx ?? {};
  const done = document.querySelector(".card .done");
  if (done) {
    tell(done.textContent);
    const swapped = done.closest("article");
    done.remove();
    swapped.focus({ preventScroll: true });
  }
  document.querySelector("[data-done]")?.focus();
  if (target?.id === "list") {
    find("list").toggleAttribute("data-meaning", Boolean(event.detail.ctx.request?.action?.includes?.("meaning")));
  }
  if (target?.id === "large-in" && !find("large").open) {
    find("large").showModal();
    find("large").querySelector("article")?.focus({ preventScroll: true });
  }
});
let large = null; // key of the event that is shown large
function show(key) {
  current = large = key;
  htmx.ajax("GET", `/parts/event/${address(key)}`, { target: "#large-in", swap: "innerHTML" });
}
function rename(one, open) {
  if (!one) return;
  one.querySelector("form.rename").hidden = !open;
  if (open) one.querySelector("form.rename [name=noun]").select();
  else one.focus();
}
document.addEventListener("click", (event) => {
  const one = event.target.closest("article.card");
  if (event.target.closest("[data-rename]")) rename(one, true);
  else if (event.target.closest("[data-cancel]")) rename(one, false);
  else if (event.target.closest("[data-heat]")) heat();
  else if (event.target.closest("[data-step]")) step(Number(event.target.closest("[data-step]").dataset.step));
  else if (event.target.closest("[data-close]")) find("large").close();
  else if (event.target.closest("a.shot") && !event.metaKey && !event.ctrlKey) {
    event.preventDefault();
    show(one.dataset.key);
  } else if (event.target.matches("dialog")) event.target.close();
});
find("large").addEventListener("close", () => {
  find("large-in").replaceChildren();
  // The browser has given the focus back to where it was before; the event may be another now.
  card(large)?.focus();
});
function heat() {
  const button = document.querySelector("[data-heat]");
  const map = document.querySelector(".whole .heat");
  if (!button || !map) return;
  map.hidden = !map.hidden;
  button.setAttribute("aria-pressed", String(!map.hidden));
}

// ---- keys

function step(by) {
  const list = cards();
  if (!list.length) return;
  const at = list.findIndex((one) => one.dataset.key === current);
  // What was answered may have left the list; the next one is in its place now.
  const from = at >= 0 ? at + by : current ? place + Math.min(by, 0) : 0;
  place = Math.min(Math.max(from, 0), list.length - 1);
  const next = list[place];
  current = next.dataset.key;
  if (find("large").open) show(current);
  else next.focus();
  next.scrollIntoView({ block: "nearest" });
}
function press(value) {
  const one = acted();
  const button = one?.querySelector(`form.does ${value}`);
  if (button?.form) button.form.requestSubmit(button);
  else if (button) button.click();
  else if (one) tell(value === "[value=none]" ? "Nothing was said of it." : "That cannot be said of it.");
}
const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  n: () => press("[value=normal]"),
  c: () => press("[value=confirmed]"),
  x: () => press("[value=false_alarm]"),
  u: () => press("[value=none]"),
  s: () => press("[data-keep]"),
  q: () => press("[data-quiet]"),
  i: () => press("[data-zone]"),
  r: () => acted()?.querySelector("[data-rename]")?.click(),
  h: heat,
  "/": () => find("text")?.focus(),
  "?": () => find("help").showModal(),
  Enter: () => current && document.activeElement?.matches("article.card:not(.facts)") && show(current),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const { target } = event;
  if (target.matches("input:not([type=radio]), select, textarea, .draw")) {
    if (event.key === "Escape") {
      const one = target.closest("article.card");
      if (one) rename(one, false);
      else target.blur();
    }
    return;
  }
  if (event.key === "Enter" && target.matches("a, button, summary")) return;
  if (find("help").open) return;
  const act = KEYS[event.key.length === 1 ? event.key.toLowerCase() : event.key];
  if (!act) return;
  event.preventDefault();
  act();
});
find("help-button").addEventListener("click", () => find("help").showModal());

if (innerWidth <= 820) all(".narrow").forEach((one) => { one.open = false; });
// A stream of pictures has no end, so it would keep the page from being loaded.
if (document.readyState === "complete") lookAround();
else addEventListener("load", lookAround);
listen();
