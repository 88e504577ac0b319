"""The properties every portal has, of those that lead work reads or writes."""

from __future__ import annotations

from crm_sandbox.hubspot.properties import Option, PropertyBook, PropertyDefinition

CONTACT_GROUPS = {
    "contactinformation": "Contact information",
    "emailinformation": "Email information",
    "analyticsinformation": "Web analytics history",
    "conversioninformation": "Conversion information",
    "contactlcs": "Contact lifecycle",
}
COMPANY_GROUPS = {
    "companyinformation": "Company information",
    "companyactivity": "Company activity",
}

LIFECYCLE = (
    "subscriber",
    "lead",
    "marketingqualifiedlead",
    "salesqualifiedlead",
    "opportunity",
    "customer",
    "evangelist",
    "other",
)
"""Life-cycle stages in their order; the API moves a record forward only."""

_LIFECYCLE_LABELS = (
    "Subscriber",
    "Lead",
    "Marketing Qualified Lead",
    "Sales Qualified Lead",
    "Opportunity",
    "Customer",
    "Evangelist",
    "Other",
)
_LEAD_STATUS = (
    ("New", "NEW"),
    ("Open", "OPEN"),
    ("In Progress", "IN_PROGRESS"),
    ("Open Deal", "OPEN_DEAL"),
    ("Unqualified", "UNQUALIFIED"),
    ("Attempted to Contact", "ATTEMPTED_TO_CONTACT"),
    ("Connected", "CONNECTED"),
    ("Bad Timing", "BAD_TIMING"),
)
_SOURCES = (
    ("Organic Search", "ORGANIC_SEARCH"),
    ("Paid Search", "PAID_SEARCH"),
    ("Email Marketing", "EMAIL_MARKETING"),
    ("Organic Social", "SOCIAL_MEDIA"),
    ("Referrals", "REFERRALS"),
    ("Other Campaigns", "OTHER_CAMPAIGNS"),
    ("Direct Traffic", "DIRECT_TRAFFIC"),
    ("Offline Sources", "OFFLINE"),
    ("Paid Social", "PAID_SOCIAL"),
    ("AI Referrals", "AI_REFERRALS"),
)
_INDUSTRIES = (
    "ACCOUNTING",
    "AUTOMOTIVE",
    "BANKING",
    "BIOTECHNOLOGY",
    "CHEMICALS",
    "COMPUTER_SOFTWARE",
    "CONSTRUCTION",
    "CONSUMER_GOODS",
    "EDUCATION_MANAGEMENT",
    "ELECTRICAL_ELECTRONIC_MANUFACTURING",
    "ENTERTAINMENT",
    "ENVIRONMENTAL_SERVICES",
    "FINANCIAL_SERVICES",
    "FOOD_BEVERAGES",
    "GOVERNMENT_ADMINISTRATION",
    "HEALTH_WELLNESS_AND_FITNESS",
    "HIGHER_EDUCATION",
    "HOSPITAL_HEALTH_CARE",
    "HOSPITALITY",
    "HUMAN_RESOURCES",
    "INDUSTRIAL_AUTOMATION",
    "INFORMATION_TECHNOLOGY_AND_SERVICES",
    "INSURANCE",
    "INTERNET",
    "LAW_PRACTICE",
    "LOGISTICS_AND_SUPPLY_CHAIN",
    "MACHINERY",
    "MANAGEMENT_CONSULTING",
    "MARKETING_AND_ADVERTISING",
    "MECHANICAL_OR_INDUSTRIAL_ENGINEERING",
    "MEDICAL_DEVICES",
    "NON_PROFIT_ORGANIZATION_MANAGEMENT",
    "OIL_ENERGY",
    "PHARMACEUTICALS",
    "REAL_ESTATE",
    "RENEWABLES_ENVIRONMENT",
    "RETAIL",
    "STAFFING_AND_RECRUITING",
    "TELECOMMUNICATIONS",
    "TOBACCO",
    "TRANSPORTATION_TRUCKING_RAILROAD",
    "UTILITIES",
    "WHOLESALE",
)


def _text(name: str, label: str, **more: object) -> PropertyDefinition:
    return _make(name, label, "string", "text", **more)


def _number(name: str, label: str, **more: object) -> PropertyDefinition:
    return _make(name, label, "number", "number", **more)


def _moment(name: str, label: str, **more: object) -> PropertyDefinition:
    return _make(name, label, "datetime", "date", **more)


def _choice(
    name: str, label: str, pairs: tuple[tuple[str, str], ...], **more: object
) -> PropertyDefinition:
    options = tuple(Option(text, value, False, i) for i, (text, value) in enumerate(pairs))
    field = str(more.pop("field_type", "select"))
    return _make(name, label, "enumeration", field, options=options, **more)


def _flag(name: str, label: str, **more: object) -> PropertyDefinition:
    pairs = (("True", "true"), ("False", "false"))
    return _choice(name, label, pairs, field_type="booleancheckbox", **more)


def _make(name: str, label: str, kind: str, field: str, **more: object) -> PropertyDefinition:
    return PropertyDefinition(
        name,
        label,
        kind,
        field,
        hubspot_defined=True,
        **more,  # type: ignore[arg-type]  # table rows
    )


def _lifecycle(group: str) -> PropertyDefinition:
    pairs = tuple(zip(_LIFECYCLE_LABELS, LIFECYCLE, strict=True))
    return _choice("lifecyclestage", "Lifecycle Stage", pairs, field_type="radio", group=group)


def _owner(label: str, group: str) -> PropertyDefinition:
    return _make(
        "hubspot_owner_id",
        label,
        "enumeration",
        "select",
        group=group,
        external_options=True,
        referenced_type="OWNER",
    )


def _kept_by_hubspot(group: str) -> list[PropertyDefinition]:
    """Properties on every type that HubSpot itself writes."""
    kept = {"group": group, "read_only": True}
    return [
        _number("hs_object_id", "Record ID", **kept),
        _moment("createdate", "Create Date", **kept),
        _moment("hs_createdate", "Object create date/time", **kept),
        _moment("hs_lastmodifieddate", "Object last modified date/time", **kept),
        _moment("hubspot_owner_assigneddate", "Owner assigned date", **kept),
        _text("hs_merged_object_ids", "Merged record IDs", **kept),
        _text("hs_object_source", "Record source detail", **kept),
        _text("hs_object_source_label", "Record source", **kept),
        _text("hs_object_source_detail_1", "Record source detail 1", **kept),
    ]


def _people() -> list[PropertyDefinition]:
    return [
        _text("email", "Email"),
        _text("firstname", "First Name"),
        _text("lastname", "Last Name"),
        _text("jobtitle", "Job Title"),
        _text("company", "Company Name"),
        _text("website", "Website URL"),
        _text("address", "Street Address"),
        _text("city", "City"),
        _text("state", "State/Region"),
        _text("zip", "Postal Code"),
        _text("country", "Country/Region"),
        _text("industry", "Industry"),
        _text("numemployees", "Number of Employees"),
        _text("message", "Message"),
        _text("salutation", "Salutation"),
        _make("phone", "Phone Number", "string", "phonenumber"),
        _make("mobilephone", "Mobile Phone Number", "string", "phonenumber"),
        _text("hs_language", "Preferred language"),
        _text("hs_timezone", "Time Zone"),
        _choice("hs_lead_status", "Lead Status", _LEAD_STATUS, field_type="radio"),
        _owner("Contact owner", "contactinformation"),
        _lifecycle("contactlcs"),
        _number("associatedcompanyid", "Primary Associated Company ID", referenced_type="COMPANY"),
        _moment("lastmodifieddate", "Last Modified Date", read_only=True),
        _text("hs_calculated_merged_vids", "Merged vids with timestamps", read_only=True),
        _make(
            "hs_additional_emails",
            "Additional email addresses",
            "enumeration",
            "checkbox",
            read_only=True,
            external_options=True,
        ),
        _moment("hs_latest_meeting_activity", "Latest meeting activity", read_only=True),
        _moment("engagements_last_meeting_booked", "Date of last meeting booked in meetings tool"),
        _moment("notes_last_contacted", "Last Contacted", read_only=True),
        _moment("notes_last_updated", "Last Activity Date", read_only=True),
        _number("num_contacted_notes", "Number of times contacted", read_only=True),
    ]


def _web() -> list[PropertyDefinition]:
    kept = {"group": "analyticsinformation", "read_only": True}
    source = {"group": "analyticsinformation"}
    return [
        _choice("hs_analytics_source", "Original Traffic Source", _SOURCES, **source),
        _text("hs_analytics_source_data_1", "Original Traffic Source Drill-Down 1", **kept),
        _text("hs_analytics_source_data_2", "Original Traffic Source Drill-Down 2", **kept),
        _choice("hs_latest_source", "Latest Traffic Source", _SOURCES, **kept),
        _text("hs_latest_source_data_1", "Latest Traffic Source Drill-Down 1", **kept),
        _text("hs_latest_source_data_2", "Latest Traffic Source Drill-Down 2", **kept),
        _moment("hs_latest_source_timestamp", "Latest Traffic Source Date", **kept),
        _number("hs_analytics_num_page_views", "Number of Pageviews", **kept),
        _number("hs_analytics_num_visits", "Number of Sessions", **kept),
        _number("hs_analytics_num_event_completions", "Number of event completions", **kept),
        _moment("hs_analytics_first_timestamp", "Time First Seen", **kept),
        _moment("hs_analytics_last_timestamp", "Time Last Seen", **kept),
        _moment("hs_analytics_last_visit_timestamp", "Time of Last Session", **kept),
        _text("hs_analytics_first_url", "First Page Seen", **kept),
        _text("hs_analytics_last_url", "Last Page Seen", **kept),
    ]


def _conversions() -> list[PropertyDefinition]:
    kept = {"group": "conversioninformation", "read_only": True, "calculated": True}
    return [
        _text("first_conversion_event_name", "First Conversion", **kept),
        _moment("first_conversion_date", "First Conversion Date", **kept),
        _text("recent_conversion_event_name", "Recent Conversion", **kept),
        _moment("recent_conversion_date", "Recent Conversion Date", **kept),
        _number("num_conversion_events", "Number of Form Submissions", **kept),
        _number("num_unique_conversion_events", "Number of Unique Forms Submitted", **kept),
        _number("hubspotscore", "HubSpot Score", **kept),
    ]


def _mail() -> list[PropertyDefinition]:
    kept = {"group": "emailinformation", "read_only": True}
    return [
        _number("hs_email_open", "Marketing emails opened", **kept),
        _number("hs_email_click", "Marketing emails clicked", **kept),
        _number("hs_email_bounce", "Marketing emails bounced", **kept),
        _number("hs_email_delivered", "Marketing emails delivered", **kept),
        _moment("hs_email_last_open_date", "Last marketing email open date", **kept),
        _moment("hs_email_last_click_date", "Last marketing email click date", **kept),
        _moment("hs_sales_email_last_replied", "Recent Sales Email Replied Date", **kept),
        _flag("hs_email_optout", "Unsubscribed from all email", **kept),
        _flag("hs_marketable_status", "Marketing contact status", **kept),
        _flag("hs_marketable_until_renewal", "Marketing contact until next update", **kept),
        _text("hs_email_domain", "Email Domain", **kept),
    ]


def _firms() -> list[PropertyDefinition]:
    group = "companyinformation"
    pairs = tuple((v.replace("_", " ").capitalize(), v) for v in _INDUSTRIES)
    texts = (
        ("name", "Company name"),
        ("domain", "Company Domain Name"),
        ("website", "Website URL"),
        ("address", "Street Address"),
        ("city", "City"),
        ("state", "State/Region"),
        ("zip", "Postal Code"),
        ("country", "Country/Region"),
        ("description", "Description"),
        ("timezone", "Time Zone"),
        ("linkedin_company_page", "LinkedIn Company Page"),
    )
    return [
        *(_text(name, label, group=group) for name, label in texts),
        _make("phone", "Phone Number", "string", "phonenumber", group=group),
        _choice("industry", "Industry", pairs, group=group),
        _number("numberofemployees", "Number of Employees", group=group),
        _number("annualrevenue", "Annual Revenue", group=group),
        _number("founded_year_number", "Year Founded", group=group),
        _flag("is_public", "Is Public", group=group),
        _owner("Company owner", group),
        _lifecycle(group),
        _choice(
            "type",
            "Type",
            (
                ("Prospect", "PROSPECT"),
                ("Partner", "PARTNER"),
                ("Reseller", "RESELLER"),
                ("Vendor", "VENDOR"),
                ("Other", "OTHER"),
            ),
            group=group,
        ),
        _choice("hs_lead_status", "Lead Status", _LEAD_STATUS, field_type="radio", group=group),
        _make(
            "hs_additional_domains",
            "Additional Domains",
            "enumeration",
            "checkbox",
            group=group,
            read_only=True,
            external_options=True,
        ),
        _number("hs_parent_company_id", "Parent Company", group=group, read_only=True),
        _number(
            "num_associated_contacts",
            "Number of Associated Contacts",
            group=group,
            read_only=True,
            calculated=True,
        ),
    ]


def contact_book() -> PropertyBook:
    """The definitions of contacts on an empty portal."""
    own = [*_people(), *_web(), *_conversions(), *_mail()]
    return PropertyBook([*own, *_kept_by_hubspot("contactinformation")], CONTACT_GROUPS)


def company_book() -> PropertyBook:
    """The definitions of companies on an empty portal."""
    own = [*_firms(), *_kept_by_hubspot("companyinformation")]
    return PropertyBook(own, COMPANY_GROUPS)
