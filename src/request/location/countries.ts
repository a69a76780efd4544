// Countries: English names and continents, for databases that only know codes (spec pipeline 1.4).

const continents: Readonly<Record<string, readonly [name: string, countries: string]>> = {
  AF: [
    'Africa',
    'AO BF BI BJ BW CD CF CG CI CM CV DJ DZ EG EH ER ET GA GH GM GN GQ GW KE KM LR LS LY MA MG ML MR MU MW MZ NA NE NG RE RW SC SD SH SL SN SO SS ST SZ TD TG TN TZ UG YT ZA ZM ZW',
  ],
  AN: ['Antarctica', 'AQ BV GS HM TF'],
  AS: [
    'Asia',
    'AE AF AM AZ BD BH BN BT CC CN CX GE HK ID IL IN IO IQ IR JO JP KG KH KP KR KW KZ LA LB LK MM MN MO MV MY NP OM PH PK PS QA SA SG SY TH TJ TM TR TW UZ VN YE',
  ],
  EU: [
    'Europe',
    'AD AL AT AX BA BE BG BY CH CY CZ DE DK EE ES FI FO FR GB GG GI GR HR HU IE IM IS IT JE LI LT LU LV MC MD ME MK MT NL NO PL PT RO RS RU SE SI SJ SK SM UA VA XK',
  ],
  NA: [
    'North America',
    'AG AI AW BB BL BM BQ BS BZ CA CR CU CW DM DO GD GL GP GT HN HT JM KN KY LC MF MQ MS MX NI PA PM PR SV SX TC TT US VC VG VI',
  ],
  OC: ['Oceania', 'AS AU CK FJ FM GU KI MH MP NC NF NR NU NZ PF PG PN PW SB TK TL TO TV UM VU WF WS'],
  SA: ['South America', 'AR BO BR CL CO EC FK GF GY PE PY SR UY VE'],
}

export type Continent = { readonly code: string; readonly name: string }

const byCountry = new Map<string, Continent>()
for (const [code, [name, countries]] of Object.entries(continents)) {
  for (const country of countries.split(' ')) byCountry.set(country, { code, name })
}

/** The continent of an ISO 3166-1 code. */
export const continentOf = (country: string): Continent | undefined => byCountry.get(country)

const nameOfContinent = new Map(Object.entries(continents).map(([code, [name]]) => [code, name]))

export const continentName = (code: string): string | undefined => nameOfContinent.get(code)

const displayNames = new Intl.DisplayNames('en', { type: 'region', fallback: 'none' })

/** Where the common name is not the one that the standard library gives. */
const names = new Map([
  ['HK', 'Hong Kong'],
  ['MO', 'Macao'],
  ['MM', 'Myanmar'],
  ['PS', 'Palestine'],
])

/** The English name of an ISO 3166-1 code. */
export function countryName(code: string): string | undefined {
  const known = names.get(code)
  if (known !== undefined || !/^[A-Z]{2}$/.test(code)) return known
  const name = displayNames.of(code)
  if (name !== undefined) names.set(code, name)
  return name
}
