/** Questions that want an answer before anything else: browsers' own modal dialogs, with their handling of focus. */
import { fill, h } from "./dom.js";
import { field } from "./pieces.js";

/**
 * @param {{ title: string, text: readonly string[], yes: string, no: string }} question
 * @returns {Promise<boolean>} false also where it was closed
 */
export function confirmed({ title, text, yes, no }) {
  return new Promise((resolve) => {
    let isYes = false;
    const dialog = h(
      "dialog",
      { "aria-labelledby": "question" },
      h("h2", { id: "question" }, title),
      text.map((each) => h("p", {}, each)),
      h(
        "div",
        { class: "actions" },
        h("button", { type: "button", autofocus: true, onclick: () => dialog.close() }, no),
        h(
          "button",
          {
            type: "button",
            class: "danger",
            onclick: () => {
              isYes = true;
              dialog.close();
            },
          },
          yes,
        ),
      ),
    );
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(isYes);
    });
    document.body.append(dialog);
    dialog.showModal();
  });
}

/**
 * Asks for a token until there is one.
 * @param {string | undefined} why the last one was not accepted
 * @returns {Promise<string>}
 */
export function askedToken(why) {
  return new Promise((resolve) => {
    const input = h("input", {
      id: "token",
      type: "password",
      autocomplete: "off",
      spellcheck: "false",
      required: true,
      "aria-describedby": "token-help",
    });
    const trouble = h("div", { role: "alert" });
    if (why !== undefined) fill(trouble, h("p", { class: "notice bad" }, `This token was not accepted: ${why}`));
    const dialog = h(
      "dialog",
      { "aria-labelledby": "token-title" },
      h("h2", { id: "token-title" }, "Token"),
      trouble,
      h(
        "form",
        {
          onsubmit: (/** @type {Event} */ event) => {
            event.preventDefault();
            const token = input.value.trim();
            if (token === "") return;
            dialog.remove();
            resolve(token);
          },
        },
        field(
          "Your token for this daemon",
          input,
          "It says who you are and what you may do. This tab forgets it when it is closed.",
        ),
        h("div", { class: "actions" }, h("button", { type: "submit", class: "primary" }, "Go on")),
      ),
    );
    // Without a token there is nothing behind it.
    dialog.addEventListener("cancel", (event) => event.preventDefault());
    dialog.addEventListener("close", () => dialog.isConnected && dialog.showModal());
    document.body.append(dialog);
    dialog.showModal();
    input.focus();
  });
}
