import { stateOf } from './legal-zones.ts'

/**
 * To whom people complain (GDPR Art. 77), by country: a table. State of 2026. Names and addresses of AT, BG, CY, DE, DK, EE,
 * ES, FI, FR, GR, HR, IT and LT are those of published lists (ICT Institute, “Europe’s Data Protection Authorities”; CREW
 * project, “State Data Protection Authorities”); those of the others are from memory, to be checked. The list that counts is the European Data
 * Protection Board's, which is named where a country is not known. To be read again every year.
 */
const AUTHORITIES: Readonly<Record<string, readonly [name: string, address: string]>> = {
  AT: ['Datenschutzbehörde', 'https://www.dsb.gv.at'],
  BE: [
    'Autorité de protection des données / Gegevensbeschermingsautoriteit',
    'https://www.dataprotectionauthority.be',
  ],
  BG: ['Commission for Personal Data Protection', 'https://www.cpdp.bg'],
  CH: ['Eidgenössischer Datenschutz- und Öffentlichkeitsbeauftragter', 'https://www.edoeb.admin.ch'],
  CY: ['Commissioner for Personal Data Protection', 'https://www.dataprotection.gov.cy'],
  CZ: ['Úřad pro ochranu osobních údajů', 'https://uoou.gov.cz'],
  DE: [
    'Bundesbeauftragte für den Datenschutz und die Informationsfreiheit, or the authority of your Land',
    'https://www.bfdi.bund.de',
  ],
  DK: ['Datatilsynet', 'https://www.datatilsynet.dk'],
  EE: ['Andmekaitse Inspektsioon', 'https://www.aki.ee'],
  ES: ['Agencia Española de Protección de Datos', 'https://www.aepd.es'],
  FI: ['Tietosuojavaltuutetun toimisto', 'https://tietosuoja.fi'],
  FR: ['Commission nationale de l’informatique et des libertés (CNIL)', 'https://www.cnil.fr'],
  GB: ['Information Commissioner’s Office', 'https://ico.org.uk'],
  GR: ['Hellenic Data Protection Authority', 'https://www.dpa.gr'],
  HR: ['Agencija za zaštitu osobnih podataka', 'https://azop.hr'],
  HU: ['Nemzeti Adatvédelmi és Információszabadság Hatóság', 'https://www.naih.hu'],
  IE: ['Data Protection Commission', 'https://www.dataprotection.ie'],
  IS: ['Persónuvernd', 'https://www.personuvernd.is'],
  IT: ['Garante per la protezione dei dati personali', 'https://www.garanteprivacy.it'],
  LI: ['Datenschutzstelle', 'https://www.datenschutzstelle.li'],
  LT: ['Valstybinė duomenų apsaugos inspekcija', 'https://vdai.lrv.lt'],
  LU: ['Commission nationale pour la protection des données', 'https://cnpd.public.lu'],
  LV: ['Datu valsts inspekcija', 'https://www.dvi.gov.lv'],
  MT: ['Information and Data Protection Commissioner', 'https://idpc.org.mt'],
  NL: ['Autoriteit Persoonsgegevens', 'https://autoriteitpersoonsgegevens.nl'],
  NO: ['Datatilsynet', 'https://www.datatilsynet.no'],
  PL: ['Urząd Ochrony Danych Osobowych', 'https://uodo.gov.pl'],
  PT: ['Comissão Nacional de Proteção de Dados', 'https://www.cnpd.pt'],
  RO: [
    'Autoritatea Naţională de Supraveghere a Prelucrării Datelor cu Caracter Personal',
    'https://www.dataprotection.ro',
  ],
  SE: ['Integritetsskyddsmyndigheten', 'https://www.imy.se'],
  SI: ['Informacijski pooblaščenec', 'https://www.ip-rs.si'],
  SK: ['Úrad na ochranu osobných údajov', 'https://dataprotection.gov.sk'],
}

/** Where a refusal can be taken. */
export interface Remedies {
  readonly authority: { readonly name: string; readonly url: string }
  /** In plain words. */
  readonly court: string
}

/**
 * The remedies of somebody whose request is refused (GDPR Art. 12(4), 77, 79): the authority of the country where they
 * live, else of the country of the site, and the courts.
 */
export function remediesFor({
  residence,
  siteCountry,
}: {
  residence: string | undefined
  siteCountry: string
}): Remedies {
  const at = [residence, siteCountry].find(
    (country) => country !== undefined && AUTHORITIES[stateOf(country)] !== undefined,
  )
  const found = at === undefined ? undefined : AUTHORITIES[stateOf(at)]
  const [name, url] = found ?? EDPB
  return {
    authority: { name, url },
    court:
      'You may also go to court: where the controller is established, or where you live (GDPR Art. 79). The complaint to the authority is free of charge and comes first only if you wish so.',
  }
}

const EDPB = [
  'the supervisory authority of the place where you live; all are listed by the European Data Protection Board',
  'https://www.edpb.europa.eu/about-edpb/about-edpb/members_en',
] as const
