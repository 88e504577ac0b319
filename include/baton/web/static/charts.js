// Draws what an element's data-chart says, in the page's own colours. No text becomes a script: the
// expressions of a chart are interpreted. The same figures stand in a table beside it.
(() => {
  const root = document.documentElement
  const colour = (name) => getComputedStyle(root).getPropertyValue(`--${name}`).trim()

  const config = () => ({
    background: "transparent",
    font: "Inter, -apple-system, BlinkMacSystemFont, 'Segoe UI', Helvetica, Arial, sans-serif",
    view: {stroke: null},
    axis: {labelColor: colour("soft"), titleColor: colour("soft"), gridColor: colour("line"), domainColor: colour("line"), tickColor: colour("line"), labelFontSize: 12},
    legend: {labelColor: colour("ink"), labelFontSize: 12, symbolStrokeWidth: 2},
    bar: {color: colour("accent")},
    text: {color: colour("ink"), fontSize: 12},
    range: {category: [colour("accent"), colour("warn"), colour("good")]},
  })

  const drawn = new Map()
  const draw = async (place) => {
    const spec = JSON.parse(place.dataset.chart)
    const size = {width: place.clientWidth, height: place.clientHeight, autosize: {type: "fit", contains: "padding"}}
    const compiled = vegaLite.compile({...spec, ...size}, {config: config()}).spec
    const view = new vega.View(vega.parse(compiled, {}, {ast: true}), {
      renderer: "canvas", container: place, expr: vegaInterpreter.expressionInterpreter, tooltip: () => {},
    })
    drawn.get(place)?.finalize()
    drawn.set(place, view)
    await view.runAsync()
    place.dataset.drawn = "yes"
  }
  const all = () => { for (const place of document.querySelectorAll("[data-chart]")) draw(place) }

  all()
  new MutationObserver(all).observe(root, {attributeFilter: ["data-theme"]})
  let later, width = window.innerWidth
  window.addEventListener("resize", () => {
    if (window.innerWidth === width) return
    width = window.innerWidth
    clearTimeout(later)
    later = setTimeout(all, 150)
  })
})()
