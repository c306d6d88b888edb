"use strict";

// What every local page needs before its own script: finding its elements, asking its server, and
// telling in the element "fault" what went wrong.

const find = (id) => document.getElementById(id);

let work = Promise.resolve(); // actions run one after the other, so fast typing loses nothing

async function ask(path, body) {
  const sent = body === undefined ? {} : {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify(body),
  };
  let answer;
  try {
    answer = await fetch(path, sent);
  } catch {
    throw new Error("Nomaly does not answer. Is it still running in the terminal?");
  }
  if (!answer.ok) throw new Error(await answer.text());
  return answer.json();
}

// `failed` is called, too, if the action fails.
function run(action, failed) {
  work = work.then(action).then(
    () => { find("fault").hidden = true; },
    (error) => {
      find("fault").textContent = error.message;
      find("fault").hidden = false;
      failed?.();
    },
  );
}
