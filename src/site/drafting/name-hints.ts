// A table of words: longer than other files, because it is what names of columns tell in several languages.

/** What the name of a column lets one think of, and why; a guess that somebody has to decide about. */
export interface NameHint {
  readonly sensitivity: 'direct_identifier' | 'free_text' | 'special_category'
  readonly why: string
}

/** A word of the name is one of these, or the name has it in it where it is long enough to mean nothing else. */
interface Hint extends NameHint {
  readonly words: readonly string[]
  readonly parts: readonly string[]
}

const HINTS: readonly Hint[] = [
  {
    sensitivity: 'direct_identifier',
    why: 'the name speaks of who somebody is',
    words: split(`
      name names vorname nachname surname firstname lastname forename nom prenom nombre apellido
      alias login user username nick handle id ids uuid guid kennung schluessel key pseudonym
      person patient patientin member mitglied kunde customer client employee participant subject
      proband respondent insured citizen ssn nino ppsn nhs bsn svnr passport ausweis pass licence
      license iban bic konto account card karte plate kennzeichen vin ip mac imei imsi msisdn
      device geraet serial cookie foto photo picture portrait url website homepage twitter
      instagram mrn pid ehr chi`),
    parts: split(`
      vorname nachname familienname geburtsname sozialvers versicherten passport ausweis`),
  },
  {
    sensitivity: 'direct_identifier',
    why: 'the name speaks of how somebody is reached',
    words: split(`
      mail phone tel mobile mobil handy fax street strasse str rue calle`),
    parts: split(`
      email telefon telephone address adresse anschrift hausnummer strasse wohnort`),
  },
  {
    sensitivity: 'free_text',
    why: 'the name speaks of what somebody wrote',
    words: split(`
      note notes notiz text message nachricht report bericht memo description`),
    parts: split(`
      comment kommentar bemerkung anmerkung remark freitext freetext beschreibung anamnese`),
  },
  {
    sensitivity: 'special_category',
    why: 'the name speaks of health',
    words: split(`
      icd icd10 bmi hiv drug drugs dose dosis puls pulse heart herz ekg ecg health sleep schlaf
      smoker smoking raucher systolic diastolic spo2 hba1c sick sickness injury pain schmerz mental
      cancer krebs sante salud`),
    parts: split(`
      diagnos krank disease illness gesundheit medicat medikament therap symptom blutdruck blood
      glucose insulin pregnan schwanger disab behinder allerg vaccin impf heartrate depress psych
      alcohol alkohol cholester surgery hospital`),
  },
  {
    sensitivity: 'special_category',
    why: 'the name speaks of belief, origin, opinion, union, sexuality or the body’s own marks (GDPR Art. 9(1))',
    words: split(`
      race rasse ethnie religion faith glaube church kirche union party partei tribe gene genes gen
      dna snp iris retina voice caste`),
    parts: split(`
      ethnic religio konfession gewerkschaft politic politisch sexual genom genet biometr
      fingerprint fingerabdruck genderidentity genotype`),
  },
]

function split(words: string): readonly string[] {
  return words.trim().split(/\s+/)
}

/** The words of a name, in small letters: `PatientenNr` is `patienten` and `nr`. */
function wordsOfName(name: string): readonly string[] {
  return folded(name.replaceAll(/(\p{Ll}|\d)(?=\p{Lu})/gu, '$1 '))
    .split(/[^a-z0-9]+/)
    .filter((word) => word !== '')
}

/** What the name of a column lets one think of; `undefined` where it lets one think of nothing. */
export function hintOfName(name: string): NameHint | undefined {
  const words = wordsOfName(name)
  const whole = words.join('')
  // `member_number` names a member, `number_of_members` does not.
  if (/^(nr|no|number|nummer|num)$/.test(words.at(-1) ?? '') && words.length > 1) return HINTS[0]
  return HINTS.find(
    (hint) =>
      hint.words.some((word) => words.includes(word)) || hint.parts.some((part) => whole.includes(part)),
  )
}

/** Whether a name speaks of a number or a sign by which something is known. */
export function isIdName(name: string): boolean {
  return /^(id|kennung|nr|nummer|number|key|pseudonym|mrn|pid)$/.test(wordsOfName(name).at(-1) ?? '')
}

/** Whether a name speaks of people, and so an identifier of who somebody is and not of what was noted of them. */
export function isPersonName(name: string): boolean {
  return /person|patient|member|mitglied|kunde|customer|client|employee|participant|subject|proband|respondent|insured|versichert|citizen|\b(user|mrn|pid|ssn|nhs|svnr|ppsn)\b/.test(
    wordsOfName(name).join(' '),
  )
}

/** Whether a name speaks of a birth date. */
export function isBirthName(name: string): boolean {
  return /birth|geburt|naissance|nacimiento|\bdob\b|^born$|gebdat/.test(wordsOfName(name).join(' '))
}

/** Whether a name speaks of a country in which somebody lives. */
export function isResidenceName(name: string): boolean {
  return /residen|country|^land$|wohnland|staat|pays|pais/.test(wordsOfName(name).join(' '))
}

/** Whether a name speaks of an age in years. */
export function isAgeName(name: string): boolean {
  return wordsOfName(name).some((word) => ['age', 'alter', 'edad'].includes(word))
}

/** Whether a name speaks of a day, where digits alone would not show it. */
export function isDateName(name: string): boolean {
  return isBirthName(name) || /\bdate\b|datum|\bday\b|\btag\b|\bfecha\b/.test(wordsOfName(name).join(' '))
}

/** Whether a name speaks of where somebody is: not a name, and often as good as one. */
export function isPlaceName(name: string): boolean {
  return /\b(lat|latitude|lon|lng|longitude|gps|plz|zip|zipcode|postcode|postal|ort|city|town|gemeinde)\b|postleitzahl|breitengrad|laengengrad/.test(
    wordsOfName(name).join(' '),
  )
}

/** A name for SQL: `Größe (cm)` is `groesse_cm`. */
export function sqlNameOf(name: string, taken: ReadonlySet<string>, fallback: string): string {
  const slug = folded(name)
    .replaceAll(/[^a-z0-9]+/g, '_')
    .replaceAll(/^_+|_+$/g, '')
  const named = slug === '' ? fallback : /^[a-z]/.test(slug) ? slug : `${fallback}_${slug}`
  const base = named.slice(0, NAME_CHARACTERS_MAX)
  for (let count = 1; ; count += 1) {
    const ending = count === 1 ? '' : `_${count}`
    const one = `${base.slice(0, NAME_CHARACTERS_MAX - ending.length)}${ending}`
    if (!taken.has(one)) return one
  }
}

const NAME_CHARACTERS_MAX = 63

const UMLAUTS: Readonly<Record<string, string>> = {
  ä: 'ae',
  ö: 'oe',
  ü: 'ue',
  ß: 'ss',
  æ: 'ae',
  ø: 'oe',
  å: 'aa',
}

function folded(name: string): string {
  return name
    .toLowerCase()
    .normalize('NFC')
    .replaceAll(/[äöüßæøå]/g, (sign) => UMLAUTS[sign] ?? sign)
    .normalize('NFD')
    .replaceAll(/\p{M}/gu, '')
}
