// Runs before the first paint, while the page's own script is still on its way.
;(function () {
  // The theme never flashes. The choice is written by `preferences.ts`; absent or "system" follows the machine.
  var choice = null
  try {
    choice = localStorage.getItem('smarthouse.theme')
  } catch {
    // Storage can be forbidden; the machine's choice it is then.
  }
  var dark = choice === 'dark' || (choice !== 'light' && matchMedia('(prefers-color-scheme: dark)').matches)
  document.documentElement.dataset.theme = dark ? 'dark' : 'light'
  document.querySelector('meta[name="theme-color"]').content = dark ? '#0d1117' : '#f6f7f9'

  // The first questions, word for word as the page asks them: `api.ts` takes the answers over, by their addresses.
  var begun = (window.begunQuestions = {})
  function ask(url) {
    begun[url] = fetch(url, { headers: { accept: 'application/json' } })
    return begun[url].then(function (response) {
      return response.ok ? response.clone().json() : Promise.reject(response)
    })
  }
  var search = new URLSearchParams(location.search)
  var range = search.get('range') || 'today'
  ask('/api/v1/homes')
    .then(function (homes) {
      // Once the page has taken the first answer over, it asks by itself.
      if (location.pathname !== '/' || !('/api/v1/homes' in begun)) return
      var query = new URLSearchParams()
      query.set('tenant', search.get('home') || homes.default)
      query.set('range', range)
      if (range === 'custom') {
        query.set('from', search.get('from'))
        query.set('to', search.get('to'))
      }
      return ask('/api/v1/overview?' + query)
    })
    .catch(function () {
      // Whoever takes the answer over says what was wrong.
    })

  // The first formats of a page take a phone 100 ms, and later ones nothing: in tasks of their own, while it waits.
  setTimeout(function () {
    new Intl.NumberFormat('en').format(1)
  })
  setTimeout(function () {
    new Intl.DateTimeFormat('en', { timeZone: 'UTC' }).format(0)
  })
})()
