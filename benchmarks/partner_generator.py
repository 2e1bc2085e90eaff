# Copyright 2026 Sync Governance contributors
# License LGPL-3.0 or later (https://www.gnu.org/licenses/lgpl).
"""Partner data as several clerks and systems
would have typed it, with known duplicates.

The generator imports nothing of the matcher. Names, streets and words come from Faker's
lists, drawn with a long-tailed frequency as in life. About one row in five is a second
(third, fourth) entry of somebody who is in the data already: typed by another
clerk, with another set of fields filled, nicknames, typing errors, another phone
format, an old address.

The traps, all of them *not* duplicates: households (one surname, address and phone;
several people), branches (one name, several towns), sister companies (one address,
phone and first word), contacts of a company (its address, switchboard and info@
mailbox) and namesakes.

    python -m benchmarks.partner_generator 20000 --seed 7 \\
        --output partners.csv --truth t.csv
"""

import argparse
import csv
import random
import string
from bisect import bisect
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import accumulate

from faker import Faker

COLUMNS = (
    "id", "name", "is_company", "email", "phone", "vat", "street", "street2", "zip",
    "city", "state", "country", "parent_id",
)  # fmt: skip


class Pool:
    """Draw from a list with frequencies that fall off like 1/rank**slope."""

    def __init__(self, rng: random.Random, items, slope: float):
        self.items = sorted(set(items))
        rng.shuffle(self.items)
        self.limits = list(
            accumulate((rank + 3) ** -slope for rank in range(len(self.items)))
        )

    def draw(self, rng: random.Random):
        return self.items[bisect(self.limits, rng.random() * self.limits[-1])]


@dataclass(frozen=True)
class Country:
    code: str
    share: float
    locale: str
    dialling: str
    trunk: str
    legal: tuple[tuple[str, ...], ...]  # spellings of one form
    street: str  # how a street line is put together
    zip_digits: int
    vat: str  # one letter a digit: 9
    trades: tuple[str, ...]
    connectors: tuple[str, ...]
    mail: tuple[str, ...]


COUNTRIES = (
    Country(
        "DE", 0.40, "de_DE", "49", "0",
        (("GmbH", "G.m.b.H.", "Gesellschaft mbH", "GMBH"), ("AG",), ("KG",), ("e.K.",
        "eK"),
         ("GmbH & Co. KG", "GmbH & Co KG",
         "GmbH u. Co. KG"), ("UG (haftungsbeschränkt)", "UG")),
        "{street} {number}", 5, "DE999999999",
        ("Maschinenbau", "Elektrotechnik", "Logistik", "Bau", "Metallbau", "Software",
        "Consulting",
         "Druckerei", "Autohaus", "Bäckerei", "Apotheke", "Immobilien", "Handel",
         "Spedition",
         "Medizintechnik", "Gartenbau", "Reisen", "Textil", "Möbel", "Sanitär",
         "Holzbau",
         "Getränke", "Energie", "Umwelttechnik", "Werbung", "Verlag", "Brauerei",
         "Optik"),
        ("& Söhne", "& Partner", "Gebrüder", "& Co."), ("gmx.de", "web.de",
        "t-online.de", "gmail.com"),
    ),
    Country(
        "US", 0.30, "en_US", "1", "",
        (("Inc.", "Inc", "Incorporated", ", Inc."), ("LLC", "L.L.C."), ("Corp.",
        "Corporation", "Corp"),
         ("Co.", "Company"), ("LLP",)),
        "{number} {street}", 5, "999999999",
        ("Manufacturing", "Logistics", "Construction", "Software", "Consulting",
        "Printing", "Motors",
         "Bakery", "Pharmacy", "Real Estate", "Trading", "Freight", "Medical",
         "Landscaping", "Travel",
         "Textiles", "Furniture", "Plumbing", "Roofing", "Beverages", "Energy",
         "Advertising",
         "Publishing", "Brewing", "Optical", "Supply", "Foods", "Equipment"),
        ("& Sons", "& Associates", "Brothers", "Group"), ("gmail.com", "yahoo.com",
        "outlook.com", "aol.com"),
    ),
    Country(
        "FR", 0.15, "fr_FR", "33", "0",
        (("SARL", "S.A.R.L."), ("SA", "S.A."), ("SAS", "S.A.S."), ("EURL",)),
        "{number} {street}", 5, "FR99999999999",
        ("Mécanique", "Électricité", "Transports", "Bâtiment", "Logiciels", "Conseil",
        "Imprimerie",
         "Garage", "Boulangerie", "Pharmacie", "Immobilier", "Négoce",
         "Matériel Médical", "Jardins",
         "Voyages", "Textiles", "Meubles", "Plomberie", "Boissons", "Énergie",
         "Publicité", "Éditions"),
        ("& Fils", "et Associés", "Frères", "Groupe"), ("orange.fr", "free.fr",
        "gmail.com", "laposte.net"),
    ),
    Country(
        "GB", 0.15, "en_GB", "44", "0",
        (("Ltd", "Ltd.", "Limited"), ("PLC", "plc"), ("LLP",)),
        "{number} {street}", 0, "GB999999999",
        ("Engineering", "Haulage", "Builders", "Software", "Consultancy", "Printers",
        "Motors", "Bakers",
         "Chemists", "Estates", "Trading", "Freight", "Medical", "Gardens", "Travel",
         "Textiles",
         "Furniture", "Plumbing", "Brewery", "Energy", "Media", "Publishing",
         "Opticians", "Supplies"),
        ("& Sons", "& Partners", "Bros", "Group"), ("gmail.com", "hotmail.co.uk",
        "btinternet.com", "outlook.com"),
    ),
)  # fmt: skip

STREET_SHORT = (
    ("straße", "str."), ("straße", "strasse"), ("Straße", "Str."), ("Street", "St"),
    ("Street", "St."), ("Avenue", "Ave"), ("Road", "Rd"), ("Road", "Rd."),
    ("Drive", "Dr"), ("Lane", "Ln"), ("Boulevard", "Blvd"), ("Court", "Ct"),
    ("rue ", "r. "), ("avenue ", "av. "), ("boulevard ", "bd "), ("platz", "pl."),
    ("allee", "al."), ("chemin ", "ch. "),
)  # fmt: skip
NICKNAMES = {
    "michael": ("Mike", "Michi"), "robert": ("Bob", "Rob"), "william": ("Bill", "Will"),
    "james": ("Jim", "Jimmy"), "thomas": ("Tom",), "elizabeth": ("Liz", "Beth"),
    "katharina": ("Kathi",), "christopher": ("Chris",), "matthew": ("Matt",),
    "daniel": ("Dan",), "andreas": ("Andi",), "joseph": ("Joe",),
    "jennifer": ("Jen", "Jenny"), "stephanie": ("Steffi", "Steph"),
    "stefanie": ("Steffi",), "susanne": ("Susi",), "alexander": ("Alex",),
    "benjamin": ("Ben",), "nicholas": ("Nick",), "samuel": ("Sam",), "david": ("Dave",),
    "richard": ("Rick", "Dick"), "edward": ("Ed", "Ted"), "patricia": ("Pat", "Trish"),
    "margaret": ("Maggie", "Peggy"), "wolfgang": ("Wolf",), "johannes": ("Hannes",),
    "maximilian": ("Max",), "ulrich": ("Uli",), "anthony": ("Tony",),
    "charles": ("Charlie",), "jonathan": ("Jon",), "timothy": ("Tim",),
    "gregory": ("Greg",), "kenneth": ("Ken",), "steven": ("Steve",),
    "rebecca": ("Becky",), "samantha": ("Sam",), "deborah": ("Debbie",),
    "heinrich": ("Heinz",), "gabriele": ("Gabi",), "hans-peter": ("Hape",),
    "friedrich": ("Fritz",), "joachim": ("Achim",), "sebastian": ("Basti",),
}  # fmt: skip
UMLAUTS = (
    ("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss"), ("Ä", "Ae"), ("Ö", "Oe"),
    ("Ü", "Ue"), ("é", "e"), ("è", "e"), ("ê", "e"), ("É", "E"), ("ç", "c"), ("ô", "o"),
    ("î", "i"),
)  # fmt: skip
SHARED_LOCALS = ("info", "office", "kontakt", "contact", "sales", "mail", "accueil")
NEIGHBOURS = {
    "a": "sq", "e": "wr", "i": "uo", "o": "ip", "n": "mb", "s": "ad", "r": "et",
    "t": "ry", "l": "k",
    "m": "n", "d": "sf", "c": "xv", "u": "yi", "h": "gj", "k": "jl", "g": "fh",
    "b": "vn",
}  # fmt: skip


@dataclass(frozen=True)
class Address:
    street: str
    number: str
    zip: str
    city: str
    state: str


@dataclass(frozen=True)
class Entity:
    """A person or company of the real world."""

    country: "World"
    company: bool
    first: str
    last: str  # of a company: its name without legal form
    legal: int
    address: Address
    phone: str  # national digits without trunk prefix
    email: str
    vat: str
    mobile: str
    parent: int | None = None
    branch: bool = False


class World:
    """One country's people, towns and streets."""

    def __init__(self, country: Country, rng: random.Random, rows: int):
        self.country, self.rng = country, rng
        fake = Faker(country.locale)
        fake.seed_instance(rng.randrange(1 << 30))
        self.firsts = Pool(rng, (fake.first_name() for _ in range(9000)), 0.6)
        self.lasts = Pool(rng, (fake.last_name() for _ in range(30000)), 0.5)
        self.fresh_last = 0.3
        streets = [fake.street_name() for _ in range(3000)]
        self.streets = Pool(rng, streets, 0.6)
        towns = max(30, int((rows * country.share) ** 0.62))
        self.towns = Pool(
            rng,
            [
                (
                    fake.city(),
                    self._zips(),
                    fake.state() if country.code == "US" else "",
                )
                for _ in range(towns)
            ],
            0.8,
        )

    def _zips(self):
        rng = self.rng
        if self.country.zip_digits:
            start = rng.randrange(10_000, 99_000)
            return tuple(
                str(start + step) for step in range(rng.choice((1, 1, 2, 4, 8)))
            )
        area = "".join(rng.choices("BCDEGHLMNS", k=rng.choice((1, 2))))
        return tuple(
            f"{area}{rng.randrange(1, 30)}" for _ in range(rng.choice((1, 2, 6)))
        )

    def address(self) -> Address:
        rng = self.rng
        city, zips, state = self.towns.draw(rng)
        postcode = rng.choice(zips)
        if not self.country.zip_digits:
            inward = "".join(rng.choices("ABDEFGHJLNPQRSTUWXYZ", k=2))
            postcode += f" {rng.randrange(1, 10)}{inward}"
        number = str(min(int(rng.paretovariate(0.7)) + rng.randrange(40), 4999))
        if rng.random() < 0.06:
            number += rng.choice("abc")
        return Address(self.streets.draw(rng), number, postcode, city, state)

    def surname(self) -> str:
        rng = self.rng
        last = self.lasts.draw(rng)
        if rng.random() < self.fresh_last:  # Faker's lists end where real tails begin
            tail = rng.choice(
                ("er", "mann", "sen", "ski", "ov", "son", "ier", "ard", "ley", "s")
            )
            last = (
                last[: rng.randrange(3, 6)]
                + rng.choice(("", "", "el", "in", "an", "or"))
                + tail
            )
        return last

    def phone(self) -> str:
        area = {"DE": (200, 999), "US": (201, 989), "FR": (1, 5), "GB": (1200, 1999)}
        low, high = area[self.country.code]
        rest = 8 if self.country.code == "FR" else 7 if self.country.code == "US" else 6
        prefix = str(self.rng.randrange(low, high + 1))
        return prefix + "".join(self.rng.choices(string.digits, k=rest))

    def mobile(self) -> str:
        prefix = {"DE": "17", "US": "9", "FR": "6", "GB": "7"}[self.country.code]
        total = {"DE": 10, "US": 10, "FR": 9, "GB": 10}[self.country.code]
        return prefix + "".join(self.rng.choices(string.digits, k=total - len(prefix)))

    def vat(self) -> str:
        return "".join(
            self.rng.choice(string.digits) if c == "9" else c for c in self.country.vat
        )

    def person(self) -> Entity:
        rng = self.rng
        first, last = self.firsts.draw(rng), self.surname()
        return Entity(
            self, False, first, last, 0, self.address(), self.phone(),
            self.private_email(first, last), "", self.mobile(),
        )  # fmt: skip

    def private_email(self, first, last) -> str:
        rng, f, n = self.rng, _ascii(first), _ascii(last)
        local = rng.choice(
            (f"{f}.{n}", f"{f[:1]}.{n}", f"{f}{n}", f"{n}.{f}", f"{f}_{n}", f"{f}")
        )
        if rng.random() < 0.45:
            local += str(
                rng.randrange(1, 99)
                if rng.random() < 0.6
                else rng.randrange(1950, 2005)
            )
        return f"{local}@{rng.choice(self.country.mail)}"

    def company(self) -> Entity:
        rng, country = self.rng, self.country
        trade = rng.choice(country.trades)
        base = self.surname()
        shape = rng.random()
        if shape < 0.45:
            name = f"{base} {trade}"
        elif shape < 0.6:
            name = f"{base} {rng.choice(country.connectors)}"
        elif shape < 0.72:
            name = f"{base} & {self.surname()} {trade}"
        elif shape < 0.86:
            name = f"{_coined(rng)} {trade}"
        else:
            name = f"{trade} {self.towns.draw(rng)[0].split()[0]} {base}"
        domain = (
            _ascii(name).replace(" ", rng.choice(("", "-")))[:24].strip("-") or "firma"
        )
        domain += {"DE": ".de", "US": ".com", "FR": ".fr", "GB": ".co.uk"}[country.code]
        local = rng.choice(SHARED_LOCALS) if rng.random() < 0.7 else _ascii(base)
        return Entity(
            self, True, "", name, rng.randrange(len(country.legal)), self.address(),
            self.phone(), f"{local}@{domain}", self.vat() if rng.random() < 0.6 else "",
            "",
        )  # fmt: skip


def _ascii(text: str) -> str:
    for letter, plain in UMLAUTS:
        text = text.replace(letter, plain)
    kept = (c for c in text.lower() if c.isascii() and (c.isalnum() or c in " -"))
    return "".join(kept).replace(" ", "")


def _coined(rng: random.Random) -> str:
    heads = (
        "Nova",
        "Tec",
        "Inter",
        "Euro",
        "Alpha",
        "Blue",
        "Prime",
        "Opti",
        "Dyna",
        "Poly",
        "Vita",
        "Omni",
        "Trans",
    )
    tails = (
        "tech", "line", "form", "con", "plus", "vision", "mat",
        "sys", "lux", "gen", "port", "star", "net",
    )  # fmt: skip
    word = rng.choice(heads) + rng.choice(tails)
    return word + rng.choice(
        (
            "",
            "",
            " "
            + rng.choice(string.ascii_uppercase)
            + rng.choice(string.ascii_uppercase),
        )
    )


class Clerk:
    """Writes an entity down: the first entry is careful, later ones are not."""

    def __init__(self, rng: random.Random):
        self.rng = rng

    def chance(self, probability: float) -> bool:
        return self.rng.random() < probability

    def write(self, entity: Entity, again: bool) -> dict:
        """A row of the CSV without its id."""
        if again and self.chance(0.07):
            entity = self._moved(entity)
        row = {
            "name": self._name(entity, again),
            "is_company": int(
                entity.company
                if not (again and self.chance(0.02))
                else not entity.company
            ),
            "email": self._email(entity, again),
            "phone": self._phone(entity, again),
            "vat": entity.vat if entity.vat and self.chance(0.55) else "",
            "parent_id": "" if entity.parent is None else entity.parent,
            "country": entity.country.country.code if self.chance(0.93) else "",
        }
        if row["vat"] and again and self.chance(0.03):
            row["vat"] = self._digit_slip(row["vat"])
        elif row["vat"] and self.chance(0.2):
            row["vat"] = f"{row['vat'][:2]} {row['vat'][2:5]} {row['vat'][5:]}"
        row.update(self._address(entity, again))
        bare = not any(row[c] for c in ("email", "phone", "vat", "street", "zip"))
        if bare or entity.branch and not row["city"]:
            row.update(self._address(entity, False, certain=True))
        return row

    def _moved(self, entity: Entity) -> Entity:
        """Another address; the landline moves along with it, as a rule."""
        world = entity.country
        phone = world.phone() if self.chance(0.5) else entity.phone
        return replace(entity, address=world.address(), phone=phone)

    # -- names -------------------------------------------------------------------------
    def _name(self, entity: Entity, again: bool) -> str:
        name = (
            self._company(entity, again)
            if entity.company
            else self._person(entity, again)
        )
        if again and self.chance(0.14):
            name = self._typo(name)
        if self.chance(0.15 if again else 0.03):
            name = self._plain(name)
        style = self.rng.random()
        return name.upper() if style < 0.06 else name.lower() if style < 0.09 else name

    def _person(self, entity: Entity, again: bool) -> str:
        first, last = entity.first, entity.last
        if again:
            short = NICKNAMES.get(first.lower())
            if short and self.chance(0.35):
                first = self.rng.choice(short)
            elif self.chance(0.05):
                first = first[:1] + "."
            elif self.chance(0.03):
                first = f"{first} {self.rng.choice(string.ascii_uppercase)}."
            if self.chance(0.015):
                last = f"{last}-{entity.country.surname()}"
        if self.chance(0.04):
            titles = ("Dr.", "Mr.", "Mrs", "Herr", "Frau", "Prof. Dr.")
            first = f"{self.rng.choice(titles)} {first}"
        return f"{last}, {first}" if self.chance(0.08) else f"{first} {last}"

    def _company(self, entity: Entity, again: bool) -> str:
        name, forms = entity.last, entity.country.country.legal[entity.legal]
        words = name.split()
        if again and len(words) > 2 and self.chance(0.12):
            words.pop(self.rng.randrange(1, len(words)))
            name = (
                " ".join(words).replace("& ", "")
                if words[-1] == "&"
                else " ".join(words)
            )
        elif again and self.chance(0.04):
            name = f"{name} {entity.address.city.split()[0]}"
        elif again and self.chance(0.03):
            name = name.replace(" ", "")
        if self.chance(0.3 if again else 0.08):
            return name
        form = forms[0] if not again else self.rng.choice(forms)
        return f"{name}{form}" if form.startswith(",") else f"{name} {form}"

    def _plain(self, text: str) -> str:
        for letter, plain in UMLAUTS:
            text = text.replace(letter, plain)
        return text

    def _typo(self, text: str) -> str:
        positions = [n for n, c in enumerate(text) if n and c.isalpha()]
        if not positions:
            return text
        at, kind = self.rng.choice(positions), self.rng.random()
        if kind < 0.3:
            return text[:at] + text[at + 1 :]
        if kind < 0.5:
            return text[:at] + text[at] + text[at:]
        if kind < 0.75 and at + 1 < len(text):
            return text[:at] + text[at + 1] + text[at] + text[at + 2 :]
        wrong = self.rng.choice(
            NEIGHBOURS.get(text[at].lower(), string.ascii_lowercase)
        )
        return text[:at] + wrong + text[at + 1 :]

    def _digit_slip(self, text: str) -> str:
        positions = [n for n, c in enumerate(text) if c.isdigit()]
        at = self.rng.choice(positions)
        return text[:at] + self.rng.choice(string.digits) + text[at + 1 :]

    # -- ways to reach -----------------------------------------------------------------
    def _email(self, entity: Entity, again: bool) -> str:
        if not self.chance(0.68):
            return ""
        email = entity.email
        if again and self.chance(0.18):
            if entity.company:
                email = f"{self.rng.choice(SHARED_LOCALS)}@{email.split('@')[1]}"
            else:
                email = entity.country.private_email(entity.first, entity.last)
        if again and self.chance(0.03):
            email = self._typo(email.split("@")[0]) + "@" + email.split("@")[1]
        return email.title() if self.chance(0.02) else email

    def _phone(self, entity: Entity, again: bool) -> str:
        if not self.chance(0.72):
            return ""
        number, country = entity.phone, entity.country.country
        if entity.mobile and self.chance(0.35):
            number = entity.mobile
        if again and self.chance(0.08):
            number = entity.country.mobile()
        if again and self.chance(0.03):
            number = self._digit_slip(number)
        cut = 2 if country.code == "DE" and number[:2] in ("30", "40", "89") else 3
        area, rest = number[:cut], number[cut:]
        return self.rng.choice(
            (
                f"+{country.dialling} {area} {rest}",
                f"+{country.dialling}{number}",
                f"{country.trunk}{area}/{rest}",
                f"{country.trunk}{area} {rest[:3]} {rest[3:]}",
                f"{country.trunk}{area}-{rest}",
                f"00{country.dialling} {area} {rest}",
                f"({country.trunk}{area}) {rest}",
            )
        )

    def _address(self, entity: Entity, again: bool, certain: bool = False) -> dict:
        if not certain and not self.chance(0.85):
            return dict.fromkeys(("street", "street2", "zip", "city", "state"), "")
        address, country = entity.address, entity.country.country
        street = country.street.format(street=address.street, number=address.number)
        if self.chance(0.5 if again else 0.15):
            for long, short in self.rng.sample(STREET_SHORT, len(STREET_SHORT)):
                if long in street:
                    street = street.replace(long, short)
                    break
        if again and self.chance(0.06):
            street = self._typo(street)
        if self.chance(0.12 if again else 0.02):
            street = self._plain(street)
        postcode, city = address.zip, address.city
        if again and self.chance(0.03) and country.zip_digits:
            postcode = self._digit_slip(postcode)
        if again and self.chance(0.04):
            city = self._typo(city)
        second = ""
        if self.chance(0.05):
            second = self.rng.choice(
                ("2. OG", "Apt 4", "Suite 210", "c/o Empfang", "Bât. B", "Flat 2")
            )
        return {
            "street": street if certain or self.chance(0.93) else "",
            "street2": second,
            "zip": postcode if certain or self.chance(0.92) else "",
            "city": city if certain or self.chance(0.95) else "",
            "state": address.state if self.chance(0.7) else "",
        }


def entities(
    rng: random.Random, worlds: list[World]
) -> Iterator[tuple[int, list[Entity]]]:
    """Endless (number of the head, related entities): a head and the traps around it.

    An entity whose ``parent`` is set belongs to the first one of its list.
    """
    shares = [world.country.share for world in worlds]
    while True:
        world = rng.choices(worlds, shares)[0]
        if rng.random() < 0.55:
            yield from ((0, _household(rng, world)),)
        else:
            yield from ((0, _firm(rng, world)),)


def _household(rng: random.Random, world: World) -> list[Entity]:
    head = world.person()
    members = [head]
    if rng.random() < 0.18:
        for _ in range(rng.choice((1, 1, 1, 2, 3))):
            other = world.person()
            last = head.last if rng.random() < 0.85 else other.last
            email = (
                head.email
                if rng.random() < 0.12
                else world.private_email(other.first, last)
            )
            members.append(
                replace(
                    other,
                    last=last,
                    address=head.address,
                    phone=head.phone,
                    email=email,
                )
            )
    return members


def _firm(rng: random.Random, world: World) -> list[Entity]:
    head = world.company()
    members = [head]
    domain = head.email.split("@")[1]
    if rng.random() < 0.025:  # branches: one name, other towns
        for _ in range(rng.choice((1, 1, 2, 4))):
            vat = head.vat if rng.random() < 0.15 else ""
            email = (
                head.email
                if rng.random() < 0.3
                else f"{rng.choice(SHARED_LOCALS)}."
                f"{_ascii(world.towns.draw(rng)[0])[:8]}@{domain}"
            )
            members.append(
                replace(
                    head,
                    address=world.address(),
                    phone=world.phone(),
                    email=email,
                    vat=vat,
                )
            )
    if rng.random() < 0.03:  # sister companies under one roof
        word = head.last.split()[0]
        trade = rng.choice(world.country.trades)
        members.append(
            replace(
                head,
                last=f"{word} {trade}" if trade not in head.last else f"{word} Holding",
                legal=rng.randrange(len(world.country.legal)),
                vat=world.vat() if head.vat else "",
            )
        )
    if rng.random() < 0.35:  # contacts behind the switchboard
        for _ in range(rng.choice((1, 1, 2, 3, 5))):
            person = world.person()
            own = f"{_ascii(person.first)[:1]}.{_ascii(person.last)}@{domain}"
            members.append(
                replace(
                    person,
                    address=head.address,
                    phone=head.phone,
                    email=head.email if rng.random() < 0.07 else own,
                    parent=0 if rng.random() < 0.7 else None,
                )
            )
    return members


def generate(
    rows: int, seed: int = 7, duplicates: float = 0.2
) -> Iterator[tuple[dict, int]]:
    """Yield (row, entity id), in random order.

    :param rows: how many rows to make
    :param duplicates: share of rows that are a further entry of an entity
    """
    rng = random.Random(seed)
    worlds = [World(country, rng, rows) for country in COUNTRIES]
    clerk, written = Clerk(rng), []
    entity_id = 0
    for _number, family in entities(rng, worlds):
        head_row = len(written)
        for entity in family:
            if entity.parent is not None:
                entity = replace(entity, parent=head_row)
            written.append((clerk.write(entity, again=False), entity_id))
            while rng.random() < duplicates:
                written.append((clerk.write(entity, again=True), entity_id))
            entity_id += 1
        if len(written) >= rows:
            break
    written = written[:rows]
    order = list(range(len(written)))
    rng.shuffle(order)
    place = {old: new for new, old in enumerate(order, 1)}
    for new, old in enumerate(order, 1):
        row, entity = written[old]
        if row["parent_id"] != "":
            row["parent_id"] = place[row["parent_id"]]
        yield {"id": new, **row}, entity


def write(path: str, truth_path: str, rows: int, seed: int = 7) -> None:
    """Write the data and its truth as the two
    CSV files that ``benchmarks.dedup`` reads."""
    with (
        open(path, "w", newline="") as data,
        open(truth_path, "w", newline="") as truth,
    ):
        table = csv.DictWriter(data, COLUMNS)
        table.writeheader()
        pairs = csv.writer(truth)
        pairs.writerow(("id", "entity_id"))
        for row, entity in generate(rows, seed):
            table.writerow(row)
            pairs.writerow((row["id"], entity))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("rows", type=int)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--output", default="partners.csv")
    parser.add_argument("--truth", default="partners.truth.csv")
    options = parser.parse_args()
    write(options.output, options.truth, options.rows, options.seed)


if __name__ == "__main__":
    main()
