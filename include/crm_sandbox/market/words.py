"""Word lists from which companies and people are made up. Nobody in them is real."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Country:
    """A country of the market: how people type it, its phone pattern, its zones and language."""

    name: str
    code: str
    region: str
    spellings: tuple[str, ...]
    phone: str
    """Pattern of a number: `#` stands for any digit."""
    zones: tuple[tuple[str, str], ...]
    """Pairs of state (empty where none is kept) and zone."""
    language: str
    names: str
    """Which list of names people there mostly have."""
    suffixes: tuple[str, ...]
    """Legal forms of companies."""
    weight: float


def _country(
    name: str, code: str, region: str, spellings: str, *, phone: str, zone: str, language: str,
    names: str, suffixes: str, weight: float,
) -> Country:
    return Country(
        name, code, region, (name, *spellings.split(",")) if spellings else (name,), phone,
        (("", zone),), language, names, tuple(suffixes.split(",")), weight,
    )


_US_ZONES = (
    ("NY", "America/New_York"), ("MA", "America/New_York"), ("GA", "America/New_York"),
    ("TX", "America/Chicago"), ("IL", "America/Chicago"), ("CO", "America/Denver"),
    ("CA", "America/Los_Angeles"), ("WA", "America/Los_Angeles"),
)

COUNTRIES: tuple[Country, ...] = (
    _country("Germany", "DE", "DACH", "Deutschland,DE,germany", phone="+49 30 5550####",
             zone="Europe/Berlin", language="de", names="german", suffixes="GmbH,AG,GmbH & Co. KG",
             weight=13),
    _country("Austria", "AT", "DACH", "Österreich,AT", phone="+43 1 5550###",
             zone="Europe/Vienna", language="de", names="german", suffixes="GmbH,AG", weight=4),
    _country("Switzerland", "CH", "DACH", "Schweiz,Suisse,CH", phone="+41 44 555 ## ##",
             zone="Europe/Zurich", language="de", names="german", suffixes="AG,GmbH,SA", weight=5),
    _country("United Kingdom", "GB", "UK", "UK,England,GB,Great Britain",
             phone="+44 20 7946 0###", zone="Europe/London", language="en", names="british",
             suffixes="Ltd,PLC,LLP", weight=12),
    _country("Ireland", "IE", "UK", "IE", phone="+353 1 555 0###", zone="Europe/Dublin",
             language="en", names="british", suffixes="Ltd,DAC", weight=3),
    _country("Sweden", "SE", "Nordics", "Sverige,SE", phone="+46 8 465 004 ##",
             zone="Europe/Stockholm", language="sv", names="nordic", suffixes="AB", weight=5),
    _country("Norway", "NO", "Nordics", "Norge,NO", phone="+47 22 55 0# ##", zone="Europe/Oslo",
             language="nb", names="nordic", suffixes="AS,ASA", weight=4),
    _country("Denmark", "DK", "Nordics", "Danmark,DK", phone="+45 33 55 0# ##",
             zone="Europe/Copenhagen", language="da", names="nordic", suffixes="A/S,ApS",
             weight=3),
    _country("Finland", "FI", "Nordics", "Suomi,FI", phone="+358 9 5550 ###",
             zone="Europe/Helsinki", language="fi", names="nordic", suffixes="Oy,Oyj", weight=2),
    Country("United States", "US", "Americas", ("United States", "USA", "US", "U.S."),
            "+1 212 555 01##", _US_ZONES, "en", "american", ("Inc.", "LLC", "Corp."), 20),
    _country("Canada", "CA", "Americas", "CA,CANADA", phone="+1 416 555 01##",
             zone="America/Toronto", language="en", names="american", suffixes="Inc.,Ltd.",
             weight=5),
    _country("Mexico", "MX", "Americas", "México,MX", phone="+52 55 5550 ####",
             zone="America/Mexico_City", language="es", names="iberian", suffixes="S.A. de C.V.",
             weight=2),
    _country("Brazil", "BR", "Americas", "Brasil,BR", phone="+55 11 5550-####",
             zone="America/Sao_Paulo", language="pt", names="iberian", suffixes="Ltda.,S.A.",
             weight=2),
    _country("Japan", "JP", "APAC", "日本,JP", phone="+81 3 5550 ####", zone="Asia/Tokyo",
             language="ja", names="japanese", suffixes="K.K.",
             weight=4),
    _country("Singapore", "SG", "APAC", "SG", phone="+65 6555 ####", zone="Asia/Singapore",
             language="en", names="asian", suffixes="Pte Ltd", weight=3),
    _country("Australia", "AU", "APAC", "AU,Aus", phone="+61 2 5550 ####",
             zone="Australia/Sydney", language="en", names="british", suffixes="Pty Ltd",
             weight=4),
    _country("India", "IN", "APAC", "IN,Bharat", phone="+91 22 5550 ####", zone="Asia/Kolkata",
             language="en", names="indian", suffixes="Pvt Ltd", weight=4),
    _country("Italy", "IT", "Southern Europe", "Italia,IT", phone="+39 06 555 ####",
             zone="Europe/Rome", language="it", names="iberian", suffixes="S.r.l.,S.p.A.",
             weight=3),
    _country("Spain", "ES", "Southern Europe", "España,ES", phone="+34 91 555 0###",
             zone="Europe/Madrid", language="es", names="iberian", suffixes="S.L.,S.A.", weight=3),
    _country("Portugal", "PT", "Southern Europe", "PT", phone="+351 21 555 0###",
             zone="Europe/Lisbon", language="pt", names="iberian", suffixes="Lda.,S.A.",
             weight=1),
    _country("France", "FR", "Southern Europe", "FR,france", phone="+33 1 70 55 0# ##",
             zone="Europe/Paris", language="fr", names="french", suffixes="SAS,SA,SARL",
             weight=4),
)
BY_NAME: dict[str, Country] = {country.name: country for country in COUNTRIES}

COMPANY_HEADS: tuple[str, ...] = (
    "Alder", "Amber", "Aral", "Bergfeld", "Birken", "Blauwerk", "Boreal", "Bright", "Calder",
    "Cobalt", "Corvin", "Dorn", "Dovetail", "Ebbe", "Elm", "Emberly", "Falken", "Fennel",
    "Fjell", "Foxglove", "Garnet", "Gran", "Hazel", "Heron", "Holm", "Iris", "Juniper", "Kestrel",
    "Kiefer", "Lark", "Linden", "Lumen", "Marlow", "Meridian", "Mistral", "Nettle", "Nimbus",
    "Oaken", "Ochre", "Orchid", "Osprey", "Pebble", "Pine", "Quarry", "Quill", "Rowan", "Rubin",
    "Saffron", "Sable", "Silber", "Sorrel", "Sund", "Tamar", "Teal", "Thistle", "Umbra",
    "Velvet", "Vesper", "Wald", "Willow", "Yarrow", "Zephyr",
)
COMPANY_TAILS: dict[str, tuple[str, ...]] = {
    "COMPUTER_SOFTWARE": ("Software", "Apps", "Cloud"),
    "INFORMATION_TECHNOLOGY_AND_SERVICES": ("Systems", "Data Services", "IT"),
    "FINANCIAL_SERVICES": ("Capital", "Payments", "Finance"),
    "INSURANCE": ("Insurance", "Assurance"),
    "LOGISTICS_AND_SUPPLY_CHAIN": ("Logistics", "Freight", "Supply"),
    "MACHINERY": ("Machines", "Works", "Tools"),
    "INDUSTRIAL_AUTOMATION": ("Automation", "Robotics", "Controls"),
    "MEDICAL_DEVICES": ("Medical", "Instruments"),
    "HOSPITAL_HEALTH_CARE": ("Health", "Clinics"),
    "TELECOMMUNICATIONS": ("Telecom", "Networks"),
    "RENEWABLES_ENVIRONMENT": ("Renewables", "Energy", "Solar"),
    "MANAGEMENT_CONSULTING": ("Consulting", "Advisory"),
    "MARKETING_AND_ADVERTISING": ("Media", "Marketing"),
    "RETAIL": ("Retail", "Stores", "Outfitters"),
    "HIGHER_EDUCATION": ("College", "Academy"),
    "REAL_ESTATE": ("Properties", "Estates"),
    "TOBACCO": ("Tobacco", "Cigars"),
    "GOVERNMENT_ADMINISTRATION": ("County Office", "District Council"),
    "STAFFING_AND_RECRUITING": ("Staffing", "Recruiting"),
}
INDUSTRY_WEIGHTS: dict[str, float] = {
    "COMPUTER_SOFTWARE": 15, "INFORMATION_TECHNOLOGY_AND_SERVICES": 11, "FINANCIAL_SERVICES": 9,
    "INSURANCE": 5, "LOGISTICS_AND_SUPPLY_CHAIN": 8, "MACHINERY": 8, "INDUSTRIAL_AUTOMATION": 6,
    "MEDICAL_DEVICES": 5, "HOSPITAL_HEALTH_CARE": 4, "TELECOMMUNICATIONS": 4,
    "RENEWABLES_ENVIRONMENT": 4, "MANAGEMENT_CONSULTING": 4, "MARKETING_AND_ADVERTISING": 5,
    "RETAIL": 4, "HIGHER_EDUCATION": 2, "REAL_ESTATE": 2, "TOBACCO": 2,
    "GOVERNMENT_ADMINISTRATION": 3, "STAFFING_AND_RECRUITING": 3,
}
UNSERVED: frozenset[str] = frozenset(
    {"TOBACCO", "GOVERNMENT_ADMINISTRATION", "STAFFING_AND_RECRUITING"}
)
SALESFORCE_INDUSTRY: dict[str, str] = {
    "COMPUTER_SOFTWARE": "Technology", "INFORMATION_TECHNOLOGY_AND_SERVICES": "Technology",
    "FINANCIAL_SERVICES": "Finance", "INSURANCE": "Insurance",
    "LOGISTICS_AND_SUPPLY_CHAIN": "Transportation", "MACHINERY": "Machinery",
    "INDUSTRIAL_AUTOMATION": "Manufacturing", "MEDICAL_DEVICES": "Manufacturing",
    "HOSPITAL_HEALTH_CARE": "Healthcare", "TELECOMMUNICATIONS": "Telecommunications",
    "RENEWABLES_ENVIRONMENT": "Energy", "MANAGEMENT_CONSULTING": "Consulting",
    "MARKETING_AND_ADVERTISING": "Media", "RETAIL": "Retail", "HIGHER_EDUCATION": "Education",
    "REAL_ESTATE": "Other", "TOBACCO": "Other", "GOVERNMENT_ADMINISTRATION": "Government",
    "STAFFING_AND_RECRUITING": "Other",
}
TECH: tuple[str, ...] = (
    "Salesforce", "HubSpot", "Dynamics 365", "Pipedrive", "Marketo", "Snowflake", "Slack", "Teams",
    "Airflow", "Excel", "SAP",
)

FIRST_NAMES: dict[str, tuple[str, ...]] = {
    "german": ("Anke", "Birgit", "Carsten", "Derya", "Elif", "Florian", "Gerrit", "Heike", "Ilka",
               "Jörg", "Katrin", "Lennart", "Malte", "Nuray", "Ole", "Petra", "Rüdiger", "Silke",
               "Thilo", "Ulrike", "Volker", "Wiebke"),
    "british": ("Alisha", "Bronwyn", "Callum", "Deepa", "Eilidh", "Fergus", "Gethin", "Harriet",
                "Imran", "Joan", "Kwame", "Lorna", "Maeve", "Niall", "Olive", "Padraig", "Rhys",
                "Siobhan", "Tariq", "Winifred"),
    "nordic": ("Aino", "Bjarne", "Dagny", "Eero", "Freja", "Gunnar", "Hilde", "Ivar", "Jorunn",
               "Kaisa", "Leif", "Maren", "Nils", "Oddny", "Pekka", "Ragna", "Sigrid", "Torsten"),
    "american": ("Aaliyah", "Brandon", "Camila", "Deshawn", "Elena", "Frank", "Grace", "Hannah",
                 "Isaiah", "Jasmine", "Kenji", "Latoya", "Mateo", "Naomi", "Omar", "Peggy",
                 "Quentin", "Rosa", "Tyrone", "Wendy"),
    "iberian": ("Alba", "Bruno", "Carmela", "Duarte", "Estela", "Fabio", "Gabriela", "Hugo",
                "Inês", "Joaquim", "Lucía", "Matteo", "Noemi", "Otávio", "Paloma", "Rocco",
                "Silvana", "Tiago", "Valeria"),
    "french": ("Aurélie", "Baptiste", "Chantal", "Didier", "Élodie", "Fatou", "Gaspard",
               "Hélène", "Jules", "Karim", "Léonie", "Maxence", "Nadège", "Odile", "Rémi"),
    "japanese": ("Akari", "Daichi", "Emi", "Fumiko", "Haruto", "Kaede", "Kenta", "Mei", "Naoki",
                 "Rin", "Satoshi", "Yui"),
    "asian": ("Boon", "Chen", "Fiona", "Hui", "Jia", "Kavitha", "Mei Ling", "Nur", "Rizal",
              "Siti", "Wei", "Zhi"),
    "indian": ("Aarav", "Bhavna", "Chitra", "Dev", "Farhan", "Gauri", "Ishaan", "Kiran", "Leela",
               "Manoj", "Nandini", "Rohit", "Shreya", "Vikram"),
}
LAST_NAMES: dict[str, tuple[str, ...]] = {
    "german": ("Ackermann", "Brandtner", "Çelik", "Dornbusch", "Ehrlich", "Fassbender", "Grünwald",
               "Hagemann", "Jansen", "Kröger", "Lohmann", "Mahlke", "Nowak", "Oberle", "Pfeiffer",
               "Rademacher", "Straub", "Tietjen", "Uhlig", "Wessling", "Yıldız", "Zeller"),
    "british": ("Abara", "Birtwell", "Cadwallader", "Dunmore", "Eastham", "Fairclough", "Gallacher",
                "Hussain", "Inglewood", "Jessop", "Kilbride", "Llewelyn", "Mensah", "Nayar",
                "O'Driscoll", "Pemberley", "Rowntree", "Sutcliffe", "Thackray", "Wainfleet"),
    "nordic": ("Aaltonen", "Bergquist", "Dalgaard", "Ekdahl", "Friis", "Grønli", "Hedlund",
               "Isaksen", "Järvelä", "Kjeldsen", "Lindqvist", "Mørk", "Nyström", "Østby",
               "Rautio", "Skoglund", "Thorsen", "Vestergård"),
    "american": ("Abernathy", "Boudreaux", "Castellanos", "Delacroix", "Eubanks", "Fitzhugh",
                 "Granger", "Holloway", "Ibarra", "Jefferies", "Kowalczyk", "Lockwood",
                 "Montoya", "Nakagawa", "Okonkwo", "Pruitt", "Redfeather", "Salazar",
                 "Thibodeaux", "Whitaker"),
    "iberian": ("Almeida", "Benedetti", "Carvalhal", "Domínguez", "Esposti", "Figueira",
                "Galvani", "Herrero", "Iglesias", "Lombardini", "Marchetti", "Navarro",
                "Olivares", "Pacheco", "Quintana", "Rinaldi", "Serrano", "Teixeira", "Vidal"),
    "french": ("Aubertin", "Belkacem", "Charpentier", "Delaunay", "Faucheux", "Girardot",
               "Hamelin", "Jacquemin", "Laroche", "Marchandeau", "N'Diaye", "Perrault",
               "Roussel", "Tessier", "Vasseur"),
    "japanese": ("Aoyama", "Fujimori", "Hoshino", "Ishikawa", "Kuroda", "Matsuda", "Nakajima",
                 "Okabe", "Sakamoto", "Takeda", "Uchida", "Yamane"),
    "asian": ("Ang", "Chua", "Goh", "Koh", "Lim", "Nair", "Ong", "Rahman", "Seah", "Tan", "Teo",
              "Yeo"),
    "indian": ("Agarwal", "Bhatt", "Chaudhary", "Desai", "Gokhale", "Iyer", "Joshi", "Kulkarni",
               "Malhotra", "Nambiar", "Pillai", "Rao", "Saxena", "Thakur"),
}

TITLES: dict[str, tuple[str, ...]] = {
    "executive": ("Chief Revenue Officer", "VP Sales", "Managing Director", "CMO",
                  "Geschäftsführerin", "COO", "VP Marketing"),
    "head": ("Head of Revenue Operations", "Head of Marketing", "Director of Sales Operations",
             "Leiter Vertrieb", "Director, Demand Generation", "Head of CRM"),
    "manager": ("RevOps Manager", "Marketing Operations Manager", "CRM Manager", "Sales Manager",
                "Growth Manager", "Campaign Manager"),
    "specialist": ("Data Engineer", "Marketing Specialist", "Salesforce Administrator",
                   "Business Analyst", "Sales Development Representative"),
    "other": ("Assistant", "Intern", "Office Manager", "Account Executive", "Consultant"),
}
PAINS: tuple[str, ...] = (
    "Leads wait for hours", "Nobody knows why a lead was passed on",
    "Reps reject what marketing sends", "Leads fall between two teams",
    "We cannot see what became of a lead", "Routing is done by hand in a spreadsheet",
    "Scores nobody trusts",
)
SOLUTIONS: dict[str, float] = {
    "Spreadsheets": 28, "CRM workflow rules": 30, "In-house scripts": 14, "LeadRush": 9,
    "Handoffly": 6, "Nothing yet": 13,
}
COMPETITOR_TOOLS: frozenset[str] = frozenset({"LeadRush", "Handoffly"})

FREE_MAIL = ("freemail.test", "postbox.test")
DISPOSABLE = ("mailinator.test", "tempbox.test")
COMPETITOR_DOMAINS = ("leadrush.test", "handoffly.test", "pipelane.test")
UNIVERSITY = "uni-aldenburg.test"
ROLE_ADDRESSES = ("info", "sales", "office", "hello")
CONTENT = (
    "Routing playbook", "Benchmark of response times", "Scorecard template", "Case study: freight",
    "Case study: insurance", "Checklist: lead handoff", "How to write an SLA",
)
