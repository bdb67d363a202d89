// "Renew now" opens TikTok's consent in a small window over the Dashboard. Without this script the same form goes there
// in the same tab. How it came out is always asked of the server: a closed window proves nothing.
"use strict";
(() => {
  const NAME = "evergrant-consent";
  const SHAPE = "popup,width=620,height=820";
  const AFTER_CLOSING = 2500;
  let watched = null;

  const say = (id, form) => {
    const told = document.getElementById("told");
    const template = document.getElementById(id);
    if (!told || !template) return;
    told.replaceChildren(template.content.cloneNode(true));
    const button = told.querySelector("[data-same-tab]");
    if (button && form) {
      button.addEventListener("click", () => form.submit());
      button.focus();
    }
  };

  const outcome = async () => {
    if (!watched) return;
    const asked = watched;
    const answer = await fetch(`/dashboard/links/${asked.session}`, { headers: { "HX-Request": "true" } });
    if (!answer.ok || watched !== asked) return;
    const came = answer.headers.get("x-link-outcome");
    if (came === "open") return;
    watched = null;
    const told = document.getElementById("told");
    if (told) {
      told.innerHTML = await answer.text();
      told.scrollIntoView({ block: "nearest" });
    }
  };

  const watch = (session, popup, form) => {
    watched = { session };
    const mine = watched;
    say("told-waiting");
    const looking = setInterval(async () => {
      if (watched !== mine) {
        clearInterval(looking);
      } else if (popup.closed) {
        clearInterval(looking);
        setTimeout(async () => {
          await outcome();
          if (watched === mine) {
            watched = null;
            say("told-closed", form);
          }
        }, AFTER_CLOSING);
      }
    }, 400);
  };

  const start = async (form) => {
    const popup = window.open("", NAME, SHAPE);
    if (!popup) {
      say("told-blocked", form);
      return;
    }
    const body = new FormData(form);
    body.set("mode", "popup");
    try {
      const answer = await fetch(form.action, { method: "POST", body, headers: { Accept: "application/json" } });
      if (answer.status === 401) {
        popup.close();
        location.reload();
        return;
      }
      if (!answer.ok) throw new Error(String(answer.status));
      const made = await answer.json();
      if (!made.consent_url) {
        popup.close();
        location.assign(made.next);
        return;
      }
      popup.location.replace(made.consent_url);
      popup.focus();
      watch(made.link_session_id, popup, form);
    } catch {
      popup.close();
      say("told-trouble");
    }
  };

  document.addEventListener("submit", (event) => {
    const form = event.target;
    if (form instanceof HTMLFormElement && form.hasAttribute("data-consent") && document.getElementById("told-blocked")) {
      event.preventDefault();
      start(form);
    }
  });

  document.getElementById("live")?.addEventListener("changed", outcome);
})();
