// The pages of the demo shop: plain, without dependencies, everything that came from a client escaped.

const products = [
  { id: 'lamp', name: 'Desk lamp', price: '39.00' },
  { id: 'mug', name: 'Enamel mug', price: '12.50' },
  { id: 'chair', name: 'Oak chair', price: '149.00' },
] as const

const escapes: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&#39;',
}

export const escapeHtml = (text: string): string => text.replace(/[&<>"']/g, (c) => escapes[c] ?? c)

const page = (title: string, body: string): string => `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${escapeHtml(title)} · Demo shop</title>
<style>
body { font: 16px/1.5 system-ui, sans-serif; max-width: 44rem; margin: 2rem auto; padding: 0 1rem; }
nav a { margin-right: 1rem; }
li { margin: 0.4rem 0; }
</style>
</head>
<body>
<nav><a href="/">Shop</a><a href="/login">Log in</a><a href="/cart">Cart</a><a href="/echo">Echo</a></nav>
<h1>${escapeHtml(title)}</h1>
${body}
</body>
</html>
`

const list = (shown: readonly (typeof products)[number][]): string =>
  `<ul>${shown.map(({ id, name, price }) => `<li><a href="/product/${id}">${name}</a>, ${price}</li>`).join('')}</ul>`

const search = (query: string): string =>
  `<form action="/search"><label>Search <input name="q" value="${escapeHtml(query)}"></label> <button>Go</button></form>`

const login = `<form action="/login" method="post">
<p><label>User <input name="user" autocomplete="username"></label></p>
<p><label>Password <input name="password" type="password" autocomplete="current-password"></label></p>
<button>Log in</button></form>`

function searchPage(query: string): string {
  const found = products.filter(({ name }) => name.toLowerCase().includes(query.toLowerCase()))
  const said = `<p>${String(found.length)} products for “${escapeHtml(query)}”</p>`
  return page('Search', `${search(query)}${said}${list(found)}`)
}

function productPage(id: string): string {
  const { name, price } = products.find((one) => one.id === id) ?? { name: id, price: 'no price' }
  return page(
    name,
    `<p>${escapeHtml(price)}</p><form action="/cart" method="post"><input type="hidden" name="product" value="${escapeHtml(id)}"><button>Add to cart</button></form>`,
  )
}

/** The page for a path; every path has one. */
export function shopPage(path: string, query: URLSearchParams): string {
  const [, first = '', second = ''] = path.split('/')
  switch (first) {
    case '':
      return page('Demo shop', `${search('')}${list(products)}`)
    case 'search':
      return searchPage(query.get('q') ?? '')
    case 'product':
      return productPage(second)
    case 'login':
      return page('Log in', login)
    case 'cart':
      return page('Cart', '<p>Your cart is as it was.</p>')
    default:
      return page('Demo shop', `<p>This is ${escapeHtml(path)}.</p>`)
  }
}
