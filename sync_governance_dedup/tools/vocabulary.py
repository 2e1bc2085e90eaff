# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Word lists that the normalisers use; all words are in their folded form.

Folded means: lower case, transliterated to Latin where a table exists, without accents
(see :func:`normalise.fold`).
"""

# Letters that Unicode decomposition does not take apart.
LETTERS = str.maketrans(
    {
        "ä": "ae", "ö": "oe", "ü": "ue", "ß": "ss", "æ": "ae", "œ": "oe", "ø": "oe",
        "ł": "l", "đ": "d", "ð": "d", "þ": "th",
        "ı": "i", "ħ": "h", "ŋ": "n", "ŧ": "t", "ĸ": "k",
        # Cyrillic (Russian, Ukrainian, Bulgarian, Serbian)
        "а": "a", "б": "b", "в": "v", "г": "g", "д": "d", "е": "e", "ё": "e", "ж": "zh",
        "з": "z", "и": "i", "й": "y", "к": "k", "л": "l", "м": "m", "н": "n", "о": "o",
        "п": "p", "р": "r", "с": "s", "т": "t", "у": "u", "ф": "f", "х": "kh",
        "ц": "ts",
        "ч": "ch", "ш": "sh", "щ": "shch", "ъ": "", "ы": "y", "ь": "", "э": "e",
        "ю": "yu",
        "я": "ya", "є": "ye", "і": "i", "ї": "yi", "ґ": "g", "ђ": "d", "ј": "j",
        "љ": "lj",
        "њ": "nj", "ћ": "c", "џ": "dz",
        # Greek
        "α": "a", "β": "v", "γ": "g", "δ": "d", "ε": "e", "ζ": "z", "η": "i", "θ": "th",
        "ι": "i", "κ": "k", "λ": "l", "μ": "m", "ν": "n", "ξ": "x", "ο": "o", "π": "p",
        "ρ": "r", "σ": "s", "ς": "s", "τ": "t", "υ": "y", "φ": "f", "χ": "ch",
        "ψ": "ps",
        "ω": "o",
    }
)  # fmt: skip

# Legal forms, as single tokens after dots are closed up ("G.m.b.H." -> "gmbh").
LEGAL_FORMS = frozenset(
    """
    gmbh gesellschaft ag kg kgaa ohg gbr ug eg ev ek se mbh haftungsbeschrankt gesmbh
    ges
    inc incorporated corp corporation llc lllp llp lp pllc ltd limited co company plc
    cic
    pty proprietary pvt private nl
    sa sas sasu sarl eurl sci snc scop scs selarl sca
    sl slu sau sll scp srl srls spa sapa snc sas coop scarl
    bv nv vof cv bvba sprl asbl vzw
    ab hb kb as asa ans da aps oy oyj ky
    sp zoo spzoo spk spj
    sro spol doo dd ad ood eood jsc ooo oao zao pao tov sia uab ou kft zrt nyrt bt
    ltda eireli me epp cia sapi rl cv
    kk gk yk kabushiki kaisha bhd sdn pte tbk
    gmbhcokg gmbhco cokg
    有限公司 株式会社 合同会社 有限会社 公司 股份有限公司 주식회사 유한회사
    ао зао оао пао тов
    """.split()
)
# Written against a CJK name without a space; cut off its front or end.
LEGAL_AFFIXES = (
    "股份有限公司",
    "有限公司",
    "株式会社",
    "合同会社",
    "有限会社",
    "주식회사",
    "유한회사",
)
# Words that only join; dropped from names.
JOINERS = frozenset("and und et y e i og och the of und".split())

HONORIFICS = frozenset(
    """
    mr mrs ms miss mx dr prof sir herr frau fraulein dipl ing mag mme mlle monsieur
    madame
    mademoiselle sr sra srta don dona sig signora dott dottssa dhr mevr jr iii phd md
    esq
    """.split()
)

# Street types: written out, shortened or left
# out as people please; dropped from the street.
STREET_TYPES = frozenset(
    """
    street st str strasse road rd avenue ave av boulevard blvd blv boul drive dr lane ln
    court ct place pl square sq circuit cct crescent cres cr terrace tce terr parade pde
    highway hwy parkway pkwy pky way wy close cl grove gr gardens gdns row circle cir
    trail
    trl expressway expwy turnpike tpke route rte alley aly
    rue allee chemin ch impasse imp quai cours pce
    weg gasse platz ring damm ufer chaussee
    via viale piazza corso largo vicolo pza
    calle carrer avenida avda paseo plaza pza camino carretera ctra c
    straat laan plein gracht kade weg
    rua travessa praca
    ulica ul aleja al plac
    utca ut ter
    gata gatan vag vagen gade vej vei veien gate katu tie
    number no nr num
    """.split()
)
# Suffixes of one-word streets: "Hauptstrasse" = "Hauptstr." = "Haupt Str".
STREET_SUFFIXES = ("strasse", "straat", "stras", "str")

DIRECTIONS = {
    "north": "n", "south": "s", "east": "e", "west": "w", "no": "n", "so": "s",
    "northeast": "ne", "northwest": "nw", "southeast": "se", "southwest": "sw",
    "nord": "n", "sud": "s", "ost": "o",
}  # fmt: skip
ORDINALS = {
    "first": "1", "second": "2", "third": "3", "fourth": "4", "fifth": "5",
    "sixth": "6",
    "seventh": "7", "eighth": "8", "ninth": "9", "tenth": "10", "eleventh": "11",
    "twelfth": "12",
}  # fmt: skip

#: Calling code -> what national numbers of mobiles begin with, where landlines do not.
MOBILES = {
    "27": ("6", "7", "8"), "31": ("6",), "32": ("4",), "33": ("6", "7"),
    "34": ("6", "7"), "36": ("20", "30", "31", "50", "70"), "39": ("3",), "40": ("7",),
    "41": ("7",), "43": ("6",), "44": ("7",), "45": ("2", "30", "31", "4", "5", "6"),
    "46": ("7",), "47": ("4", "9"), "48": ("45", "5", "6", "7", "88"),
    "49": ("15", "16", "17"), "55": ("119", "219"), "61": ("4",), "64": ("2",),
    "81": ("70", "80", "90"), "82": ("10",), "86": ("13", "14", "15", "17", "18", "19"),
    "91": ("6", "7", "8", "9"), "351": ("9",), "352": ("6",), "353": ("8",),
    "358": ("4", "50"), "420": ("6", "7"), "421": ("9",),
}  # fmt: skip

# Local parts that belong to a function, not to a person or one branch.
SHARED_MAILBOXES = frozenset(
    """
    info office sales contact kontakt mail email admin support service hello post
    buchhaltung accounting billing invoice rechnung einkauf verkauf vertrieb purchase
    purchasing orders order bestellung marketing hr jobs team webmaster noreply
    reception
    empfang zentrale compras ventas comercial contacto accueil facture comptabilite
    commercial enquiries inquiry help kundenservice
    """.split()
)

_NICKNAME_LINES = """
alexander alex sandy sasha alec xander lex
alexandra alex sandra sasha lexi sandy alexa
alfred fred freddy alf alfie
andrew andy drew andreas
andreas andi andy andrew
anthony tony anton
antonio tony toni toño
anna anne annie ann ana anja hanna
barbara barb barbie babs barbi
benjamin ben benny benji
bernard bernie bernd berny
catherine cathy kate katie kathy kathryn katherine kathleen cat kit
charles charlie chuck chas charly karl carl
charlotte charlie lotte lottie
christian chris christo
christopher chris kit topher christoph
christina chris tina christine kristina kristin christa
daniel dan danny dani
david dave davy davey
deborah deb debbie debra
donald don donnie
dorothy dot dottie dorothea dora
edward ed eddie ted teddy ned eduard
elizabeth liz lizzie beth betty eliza elisabeth lisa elise libby betsy lilly
emily em emmy millie
eugene gene
francis frank fran francois
franziska franzi sissi
frances fran francie
francisco paco pancho curro
frederick fred freddie freddy rick friedrich fritz frederic
gabriel gabe gabi
gabriele gabi gaby gabriela
george georgie georg
gerald gerry jerry gerhard gerd
gerhard gerd gerald
gregory greg gregg gregor
guillaume william guy
guillermo memo william
hans johannes johann hannes
harold harry hal
heinrich heinz heiner harry henry
helen nell nellie helena lena
henry harry hank hal heinrich
isabella bella izzy isabel isabelle
jacob jake jakob jack
jacqueline jackie
james jim jimmy jamie jem
jean john jeannot
jeffrey jeff geoff geoffrey
jennifer jen jenny jenna
jessica jess jessie
joachim achim jochen
johannes hannes hans jo johann john
john jack johnny jon johnathan jonathan
jonathan jon jonny nathan
jorge george
jose pepe joseph
joseph joe joey jo josef sepp
joshua josh
juan john juanito
judith judy judi
karl carl charles
katharina kathi kati kathrin katja katrin
kenneth ken kenny
kimberly kim kimmy
klaus claus niklas nikolaus
laurence larry lawrence lorenz laurie
leonard len lenny leo
lucas luke lukas luc
louis lou louie ludwig luis lewis
ludwig lutz louis wiggerl
manuel manny manolo
margaret maggie meg peggy marge margie greta rita margarete margarethe
maria marie mary mia mitzi
martha marty patty
martin marty
matthew matt matty matthias
matthias matze matt mathias
maximilian max maxi
megan meg
melissa mel missy
michael mike mick mickey mikey michel micha
michelle shelly mickie
miguel michael
nancy nan
natalie nat
nathaniel nat nate nathan
nicholas nick nicky nico nicolas nikolaus niklas
nicole nicki nikki nicky
pamela pam
patricia pat patty tricia trish
patrick pat paddy rick
pedro peter
peter pete pit
philip phil pip philipp philippe
rachel rach
raymond ray
rebecca becky becca
richard rick dick richie rich ricky
robert bob rob bobby robbie bert
roger rog
ronald ron ronnie
rudolf rudi rolf
samantha sam sammy
samuel sam sammy
sarah sally sara sadie
sebastian seb basti bastian wastl
stephanie steph stefanie steffi
stephen steve steven stefan stevie stephan etienne
susan sue susie suzy susanne suzanne
susanne susi sanne susan
theodore ted teddy theo theodor
theresa terry tess resi therese teresa
thomas tom tommy thom
timothy tim timmy
ulrich uli ulli
ursula uschi ulla
victoria vicky tori vic
vincent vince vin
virginia ginny ginger
walter walt wally
wilhelm willi willy helmut william
william will bill billy willie willy liam
wolfgang wolf wolfi
zachary zach zack
"""


def _nickname_pairs() -> frozenset[tuple[str, str]]:
    pairs = set()
    for line in _NICKNAME_LINES.strip().splitlines():
        formal, *short = line.split()
        pairs.update((formal, name) for name in short)
        pairs.update((name, formal) for name in short)
    return frozenset(pairs)


#: (name, name) in both orders; short forms of one formal name are not paired with each
#: other.
NICKNAMES = _nickname_pairs()
