"""Renders exported templates with the real Django and Jinja2 and compares with what Flowloom itself rendered.

Usage: render.py JOBS.json. A job is one template: `engine` (django, jinja2), `name`, `parts` (name to source), `cases`
(each `name`, `context`, `expected` by part, and `spoken`: properties that HubSpot prints in a form of their own).
Prints every difference and a last line with the number of renderings; exit code 1 where there is one.

What the platforms add to Django and HubL stands below, each thing by its documented meaning and nothing else. Sources:
references, klaviyo, section 12; references, hubspot, section 15.
"""

import datetime
import decimal
import json
import sys

import django
import jinja2
from django.conf import settings
from django.template import Context, Engine, Library, Node
from django.utils.html import escape

SIGNS = {"EUR": "€", "USD": "$", "GBP": "£", "JPY": "¥"}
REPORTED = 25


def money(number, currency):
    """Amounts as the account's format prints them; half cents away from zero."""
    amount = decimal.Decimal(repr(number)).quantize(decimal.Decimal("0.01"), decimal.ROUND_HALF_UP)
    sign = SIGNS.get(currency) or currency + " "
    return ("-" if amount < 0 else "") + sign + f"{abs(amount):,.2f}"


# Klaviyo: Django with a few tags and filters.

library = Library()


class CurrencyFormat(Node):
    def __init__(self, value):
        self.value = value

    def render(self, context):
        return money(self.value.resolve(context), context["_currency"])


@library.tag
def currency_format(parser, token):
    _, expression = token.split_contents()
    return CurrencyFormat(parser.compile_filter(expression))


class CouponCode(Node):
    def __init__(self, name):
        self.name = name

    def render(self, context):
        return context["_coupons"][self.name.resolve(context)]


@library.tag
def coupon_code(parser, token):
    _, name = token.split_contents()
    return CouponCode(parser.compile_filter(name))


@library.simple_tag(takes_context=True)
def unsubscribe_link(context):
    return context["_links"]["unsubscribe"]


@library.simple_tag(takes_context=True)
def manage_preferences_link(context):
    return context["_links"]["preferences"]


@library.simple_tag(takes_context=True)
def web_view_link(context):
    return context["_links"]["view"]


@library.filter
def lookup(value, key):
    """What is not there is None: the less comfortable of two observations."""
    if isinstance(value, dict):
        return value.get(key)
    if isinstance(value, list) and key.isdigit() and int(key) < len(value):
        return value[int(key)]
    return None


@library.filter
def format_date_string(value):
    """Text to a date or an instant; event times are UTC text."""
    if not isinstance(value, str):
        return value
    return datetime.datetime.fromisoformat(value.replace("Z", "+00:00"))


def django_engine():
    settings.configure(USE_TZ=True, TIME_ZONE="UTC", USE_I18N=False)
    django.setup()
    engine = Engine(debug=True)
    engine.template_builtins.append(library)
    return engine


# HubSpot: HubL, which follows Jinja2.


class Missing(jinja2.ChainableUndefined):
    """HubL's missing value: prints nothing, and compares as false. Source: JSR 341, section 1.9.1, which Jinjava's
    expressions follow."""

    def _no(self, other):
        return False

    __lt__ = __le__ = __gt__ = __ge__ = __contains__ = _no


class Kept(float):
    """A number property with a display format: compares as a number, prints as the text it is shown as."""

    def __new__(cls, number, text):
        made = super().__new__(cls, number)
        made.text = text
        return made

    def __str__(self):
        return self.text


class Safe(str):
    """Text that is HTML already."""


def hubl_environment(html):
    def printed(value):
        text = str(value)
        # The entities as Django writes them; Jinja2 has &#34; and &#39; for the same characters.
        return text if isinstance(value, Safe) or not html else str(escape(text))

    def token(name, fallback=""):
        context = environment.globals["_contact"]
        value = context.get(name.removeprefix("contact."))
        return Safe(fallback) if value is None or str(value).strip() == "" else value

    environment = jinja2.Environment(autoescape=False, undefined=Missing, finalize=printed)
    environment.globals["personalization_token"] = token
    return environment


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        jobs = json.load(file)
    engine = django_engine()
    hubl = {True: hubl_environment(True), False: hubl_environment(False)}
    rendered = {"django": 0, "jinja2": 0}
    differences = 0
    seen = set()

    def differ(where, source, got, wanted):
        nonlocal differences
        differences += 1
        # One of each template is enough to work on.
        template = where.rsplit("` ", 1)[0]
        if template in seen or len(seen) >= REPORTED:
            return
        seen.add(template)
        at = next((n for n, (a, b) in enumerate(zip(got, wanted)) if a != b), min(len(got), len(wanted)))
        print(f"DIFFERENT {where}\n  export   {source[:300]!r}\n  at {at}: engine   {got[max(0, at - 60):at + 60]!r}")
        print(f"  at {at}: flowloom {wanted[max(0, at - 60):at + 60]!r}")

    for job in jobs:
        for part, source in job["parts"].items():
            where = f"{job['engine']} {job['name']} {part}"
            html = part == "html"
            try:
                if job["engine"] == "django":
                    template = engine.from_string(source)
                else:
                    template = hubl[html].from_string(source)
            except Exception as error:
                differ(where, source, f"{type(error).__name__}: {error}", "a template that can be read")
                continue
            for case in job["cases"]:
                context = case["context"]
                wanted = case["expected"][part]
                if job["engine"] == "jinja2":
                    contact = dict(context.get("contact", {}))
                    for name, (number, text) in case.get("spoken", {}).items():
                        contact[name] = Kept(number, text) if number is not None else text
                    context = {**context, "contact": contact}
                    hubl[html].globals["_contact"] = contact
                rendered[job["engine"]] += 1
                try:
                    got = template.render(Context(context) if job["engine"] == "django" else context)
                except Exception as error:
                    got = f"{type(error).__name__}: {error}"
                if case.get("plain_thousands"):
                    got, wanted = got.replace(",", ""), wanted.replace(",", "")
                if got != wanted:
                    differ(f"{where} for {case['name']}", source, got, wanted)
    if differences:
        print(f"{differences} differences")
    print(
        f"fidelity: {rendered['django']} renderings by Django {django.__version__}, "
        f"{rendered['jinja2']} by Jinja2 {jinja2.__version__}"
    )
    sys.exit(1 if differences else 0)


main()
