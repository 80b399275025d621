// Brings the parts of a page that are marked with data-refresh up to date, while somebody looks at it. Pages do without it.
(() => {
  "use strict";
  const interval = 10000;
  const parts = () => document.querySelectorAll("[data-refresh][id]");

  // On paper nothing is folded away; the stylesheet does the same where the browser lets it.
  addEventListener("beforeprint", () => document.querySelectorAll("details:not([open])").forEach((details) => { details.open = details.dataset.printed = true; }));
  addEventListener("afterprint", () => document.querySelectorAll("details[data-printed]").forEach((details) => { details.open = false; delete details.dataset.printed; }));

  if (parts().length === 0) return;

  const busy = (part) => {
    const selection = document.getSelection();
    return part.contains(document.activeElement) || (!selection.isCollapsed && selection.anchorNode && part.contains(selection.anchorNode));
  };

  const refresh = async () => {
    if (document.hidden) return;
    let fresh;
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (!answer.ok) return;
      fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
    } catch {
      return;
    }
    for (const part of parts()) {
      const next = fresh.getElementById(part.id);
      if (!next || busy(part) || next.outerHTML === part.outerHTML) continue;
      const open = [...part.querySelectorAll("details")].map((details) => details.open);
      part.replaceChildren(...next.childNodes);
      part.querySelectorAll("details").forEach((details, index) => { details.open = open[index] ?? details.open; });
    }
  };

  setInterval(refresh, interval);
})();
