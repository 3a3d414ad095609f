// The page again whenever the server says that something changed, without a reload: only parts that
// differ are exchanged, so that focus, selection and scrolling stay. Without this file the numbers
// are those of the moment when the page was asked for.
"use strict";

const note = document.getElementById("live");
let asking = false;
let again = false;

function offerCopies(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(button.dataset.copy);
      note.textContent = "copied";
    });
  }
}

function exchange(fresh) {
  const main = document.getElementById("main");
  const old = new Map([...main.querySelectorAll(":scope > section")].map(part => [part.id, part]));
  let place = null;
  for (const part of fresh.querySelectorAll("#main > section")) {
    const before = old.get(part.id);
    old.delete(part.id);
    if (!before) {
      place ? place.after(part) : main.prepend(part);
      offerCopies(part);
      place = part;
    } else if (before.dataset.text === part.outerHTML || before.contains(document.activeElement)) {
      place = before;  // the same, or somebody is at it with the keyboard
    } else {
      const text = part.outerHTML;
      before.replaceWith(part);
      part.dataset.text = text;
      offerCopies(part);
      place = part;
    }
  }
  for (const gone of old.values()) gone.remove();
  const time = fresh.querySelector("#clock time");
  const shown = document.querySelector("#clock time");
  if (time && shown) shown.replaceWith(time);
  document.title = fresh.title;
}

async function ask() {
  if (asking) {
    again = true;
    return;
  }
  asking = true;
  try {
    do {
      again = false;
      const answer = await fetch("./", {cache: "no-store"});
      exchange(new DOMParser().parseFromString(await answer.text(), "text/html"));
    } while (again);
  } catch {
    note.textContent = "not reachable";
  }
  asking = false;
}

offerCopies(document);
const events = new EventSource("live");
events.addEventListener("open", () => { note.textContent = "live"; });
events.addEventListener("changed", ask);
events.addEventListener("error", () => { note.textContent = "connecting again"; });
