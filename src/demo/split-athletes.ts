import { splitCsvLine } from '../cli/read-records.ts'
import { areaContains } from '../protocol/law/legal-zones.ts'
import type { DemoSiteId } from './demo-parties.ts'
import { countryOfCommittee } from './noc-countries.ts'

/** One athlete as far as grants are concerned. */
export interface Athlete {
  /** The key the issuer knows the person by. */
  readonly key: string
  readonly residence: string | undefined
  readonly birthDate: string
  /** Height and weight are known. */
  readonly isMeasured: boolean
}

/** What one site is given: a file and who is in it. */
export interface SitePart {
  readonly csv: string
  readonly athletes: readonly Athlete[]
}

/** Which site holds the athletes of a country: nationals of the EEA in Galway, but the German team in Dresden. */
export function siteOfCountry(country: string | undefined, today: string): DemoSiteId {
  if (country === 'DE') return 'dresden'
  return country !== undefined && areaContains('EEA', country, { today, bases: [] }) ? 'galway' : 'zurich'
}

/**
 * Splits the file of athletes among the sites by nationality. A column `residence` is added: the country of the
 * committee, as if everybody lived where they compete for, because the file does not say where anybody lives.
 */
export function splitAthletes(text: string, today: string): Readonly<Record<DemoSiteId, SitePart>> {
  const [head = '', ...lines] = text.split(/\r?\n/)
  const names = splitCsvLine(head)
  const at = (name: string) => names.indexOf(name)
  const parts = { galway: newPart(head), dresden: newPart(head), zurich: newPart(head) }
  for (const line of lines) {
    if (line === '') continue
    const fields = splitCsvLine(line)
    const residence = countryOfCommittee(fields[at('nationality')] ?? '')
    const part = parts[siteOfCountry(residence, today)]
    part.lines.push(`${line},${residence ?? ''}`)
    part.athletes.push({
      key: fields[at('id')] ?? '',
      residence,
      birthDate: fields[at('date_of_birth')] ?? '',
      isMeasured: fields[at('height')] !== '' && fields[at('weight')] !== '',
    })
  }
  return { galway: finished(parts.galway), dresden: finished(parts.dresden), zurich: finished(parts.zurich) }
}

interface PartInMaking {
  readonly lines: string[]
  readonly athletes: Athlete[]
}

function newPart(head: string): PartInMaking {
  return { lines: [`${head},residence`], athletes: [] }
}

function finished({ lines, athletes }: PartInMaking): SitePart {
  return { csv: `${lines.join('\n')}\n`, athletes }
}
