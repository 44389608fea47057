import { areaSchema } from './perimeter.ts'
import { countrySchema } from '../wire.ts'

/** ISO 3166-1 alpha-2, the officially assigned codes (2025), in the order of the standard. */
const ISO_3166_1 =
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ ' +
  'CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH ER ES ET FI FJ FK FM FO FR ' +
  'GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP ' +
  'KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT ' +
  'MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW ' +
  'SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG ' +
  'UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'

/** No codes of the standard: Kosovo as the Union writes it, and two that it reserves for parts of Spain (`legal-zones.ts`). */
const OTHERS = ['XK', 'EA', 'IC']

const COUNTRIES: ReadonlySet<string> = new Set([...ISO_3166_1.split(' '), ...OTHERS])

/** Whether a code names a territory: what does not is a slip of whoever wrote it, and never a place that nobody is in. */
function isCountry(code: string): boolean {
  return COUNTRIES.has(code)
}

const GROUPS: ReadonlySet<string> = new Set(['EU', 'EEA', 'adequate'])

/** A country that there is, for what comes in; what is kept stays readable when codes change. */
export const knownCountrySchema = countrySchema.refine(isCountry, {
  message: 'expected an ISO 3166-1 alpha-2 country code; there is no such country',
})

/** The same for an area. */
export const knownAreaSchema = areaSchema.refine((area) => GROUPS.has(area) || isCountry(area), {
  message: 'expected an ISO 3166-1 alpha-2 country code, "EU", "EEA" or "adequate"; there is no such country',
})
