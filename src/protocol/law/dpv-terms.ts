// Written by scripts/generate-terms.ts; tables on long lines. Do not edit.
//
// This document includes material copied from or derived from the Data Privacy Vocabulary (DPV) 2.2, modules
// "entities_datasubject", "pd" and "loc", https://w3id.org/dpv/2.2/dpv. Copyright (c) 2022-2025 World Wide Web Consortium
// and the contributors to the Data Privacy Vocabularies and Controls Community Group.
// https://www.w3.org/copyright/software-license-2023/
// Changes: only names of terms were taken; of locations only countries and two unions.

/** Categories of data subjects, without `dpv:`: what people are to whoever has their data. */
export const DATA_SUBJECTS: ReadonlySet<string> = new Set(
  'Adult Applicant AsylumSeeker Child Citizen Client Consumer Customer DataSubject ElderlyDataSubject ElderlyHuman Employee GuardianOfDataSubject GuardianOfHuman HumanSubject Immigrant JobApplicant Member MentallyVulnerableDataSubject MentallyVulnerableHuman NonCitizen ParentOfDataSubject ParentOfHuman Participant Patient Student Subscriber Tourist User Visitor VulnerableDataSubject VulnerableHuman'.split(
    ' ',
  ),
)

/** Categories of personal data, without `pd:`. */
export const PERSONAL_DATA: ReadonlySet<string> = new Set(
  'Accent AccountIdentifier Acquaintance Age AgeExact AgeRange ApartmentOwned Association Attitude Authenticating AuthenticationHistory BankAccount Behavioural Biometric BirthCountry BirthDate BirthPlace BloodType BrowserFingerprint BrowserHistory BrowsingBehaviour BrowsingReferral CallLog CarOwned Character Citizenship City Communication CommunicationsMetadata Connection Contact Country Credit CreditCapacity CreditCardNumber CreditRecord CreditScore CreditStanding CreditWorthiness Criminal CriminalCharge CriminalConviction CriminalOffence CriminalPardon CurrentEmployment DNACode Demeanour Demographic DeviceApplications DeviceBased DeviceOperatingSystem DeviceSoftware Dialect DigitalFingerprint Disability DisciplinaryAction Dislike Divorce Domicile DrugTestResult Education EducationExperience EducationQualification EmailAddress EmailAddressPersonal EmailAddressWork EmailContent Emotion EmploymentHistory EthnicOrigin Ethnicity External FacialExpression FacialPrint Family FamilyHealthHistory FamilyStructure Favourite FavouriteColour FavouriteFood FavouriteMusic Fetish Financial FinancialAccount FinancialAccountNumber FinancialStatus Fingerprint Friend GPSCoordinate Gender GeneralReputation Genetic Geographic GroupMembership GroupProfile HairColour Health HealthHistory HealthRecord Height Historical HouseNumber HouseOwned Household IPAddress Identifier Identifying Income IncomeBracket IndividualHealthHistory IndividualProfile Insurance Intention Interaction Interest Internal Job KnowledgeBelief Language LifeHistory Like LinkClicked LoanRecord Locality Location MACAddress MaritalStatus Marriage MedicalHealth MentalHealth Mood Name Nationality OfficialID Offspring Opinion Ownership PINCode Parent Passport Password PastEmployment PaymentCard PaymentCardExpiry PaymentCardNumber PerformanceAtWork PersonalDocuments PersonalPossession Personality PhilosophicalBelief PhysicalAddress PhysicalCharacteristic PhysicalHealth PhysicalTrait Picture Piercing PoliticalAffiliation PoliticalOpinion PostalCode Preference Prescription PrivacyPreference Proclivity Professional ProfessionalCertification ProfessionalEvaluation ProfessionalInterview Profile PublicLife PubliclyAvailableSocialMedia Purchase PurchasesAndSpendingHabit Race Reference Region Relationship Reliability Religion ReligiousBelief Residency Retina RoomNumber Salary Sale School SecretText ServiceConsumptionBehaviour Sexual SexualHistory SexualPreference Sibling SkinTone Social SocialMedia SocialMediaCommunication SocialNetwork SocialStatus Street TVViewingBehaviour Tattoo Tax TelephoneNumber Thought Tracking TradeUnionMembership Transaction Transactional TravelHistory UID UserAgent Username VehicalLicenseNumber VehicalLicenseRegistration Vehicle VehicleLicense VehicleUsage VoiceCommunicationRecording VoiceMail Weight WorkEnvironment WorkHistory'.split(
    ' ',
  ),
)

/** Countries and unions, without `loc:`. */
export const LOCATIONS: ReadonlySet<string> = new Set(
  'AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EEA EG EH ER ES ET EU FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW'.split(
    ' ',
  ),
)
