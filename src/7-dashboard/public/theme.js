// Runs before the first paint. The choice is written by `theme.ts`; absent or "system" follows the machine.
;(function () {
  var choice = null
  try {
    choice = localStorage.getItem('smarthouse.theme')
  } catch {
    // Storage can be forbidden; the machine's choice it is then.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.querySelector('meta[name="theme-color"]').content = dark ? '#0d1117' : '#f6f7f9'
})()
