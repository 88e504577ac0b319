// Light or dark, as Airflow shows itself around the page; alone, as the system asks.
(() => {
  const root = document.documentElement
  const system = window.matchMedia("(prefers-color-scheme: dark)")
  let outer = null
  try {
    outer = window.parent === window ? null : window.parent.document.documentElement
  } catch {
    outer = null // shown in somebody else's frame
  }
  // In Airflow's frame its own menu is there; alone, a link leads back.
  root.dataset.framed = window.parent === window ? "no" : "yes"
  const dark = () => {
    if (outer?.classList.contains("dark")) return true
    if (outer?.classList.contains("light")) return false
    return system.matches
  }
  const show = () => { root.dataset.theme = dark() ? "dark" : "light" }
  show()
  system.addEventListener("change", show)
  if (outer) new MutationObserver(show).observe(outer, {attributeFilter: ["class"]})
})()
