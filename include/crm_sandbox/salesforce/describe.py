"""Describe results: the schema in the form in which clients read it."""

from __future__ import annotations

from typing import Any

from crm_sandbox.salesforce.schema import (
    NUMBER_TYPES,
    TEXT_TYPES,
    Field,
    FieldType,
    Schema,
    SObject,
)

_SOAP = {
    FieldType.ID: "tns:ID",
    FieldType.REFERENCE: "tns:ID",
    FieldType.BOOLEAN: "xsd:boolean",
    FieldType.INT: "xsd:int",
    FieldType.DATE: "xsd:date",
    FieldType.DATETIME: "xsd:dateTime",
}


def summary(kind: SObject, base: str) -> dict[str, Any]:
    """One entry of the list of objects."""
    path = f"{base}/sobjects/{kind.name}"
    return {
        "name": kind.name,
        "label": kind.label,
        "labelPlural": kind.plural,
        "keyPrefix": kind.prefix,
        "custom": kind.name.endswith("__c"),
        "createable": kind.createable,
        "updateable": kind.updateable,
        "deletable": kind.deletable,
        "queryable": True,
        "retrieveable": True,
        "replicateable": "SystemModstamp" in kind.fields,
        "searchable": kind.createable,
        "layoutable": kind.createable,
        "triggerable": kind.createable,
        "undeletable": kind.deletable,
        "mergeable": kind.name in ("Lead", "Contact", "Account"),
        "feedEnabled": False,
        "activateable": False,
        "deprecatedAndHidden": False,
        "urls": {
            "sobject": path,
            "describe": f"{path}/describe",
            "rowTemplate": f"{path}/{{ID}}",
        },
    }


def describe(schema: Schema, kind: SObject, base: str) -> dict[str, Any]:
    """The whole description of an object."""
    return {
        **summary(kind, base),
        "actionOverrides": [],
        "childRelationships": [
            {
                "childSObject": child.name,
                "field": reference.name,
                "relationshipName": reference.children,
                "cascadeDelete": False,
                "deprecatedAndHidden": False,
                "restrictedDelete": False,
            }
            for child, reference in schema.children(kind.name)
        ],
        "fields": [_field(one) for one in kind.fields.values()],
        "namedLayoutInfos": [],
        "recordTypeInfos": [],
        "supportedScopes": [{"label": f"All {kind.plural}", "name": "everything"}],
    }


def _field(field: Field) -> dict[str, Any]:
    plain = not field.long_text
    return {
        "name": field.name,
        "label": field.label or field.name,
        "type": field.type.value,
        "soapType": _soap(field),
        "length": field.length,
        "byteLength": field.length * 3,
        "precision": field.precision if field.type is not FieldType.INT else 0,
        "digits": field.precision if field.type is FieldType.INT else 0,
        "scale": field.scale,
        "nillable": not field.required and field.type not in (FieldType.BOOLEAN, FieldType.ID),
        "createable": field.createable,
        "updateable": field.updateable,
        "custom": field.custom,
        "unique": field.unique,
        "caseSensitive": field.case_sensitive,
        "externalId": field.external_id,
        "idLookup": field.id_lookup,
        "filterable": field.searchable,
        "sortable": plain,
        "groupable": plain and field.type is not FieldType.DATETIME,
        "aggregatable": plain and field.type is not FieldType.BOOLEAN,
        "calculated": False,
        "calculatedFormula": None,
        "autoNumber": False,
        "cascadeDelete": False,
        "defaultValue": field.default,
        "defaultedOnCreate": field.default is not None or field.name == "OwnerId",
        "dependentPicklist": False,
        "deprecatedAndHidden": False,
        "htmlFormatted": False,
        "inlineHelpText": None,
        "nameField": field.name == "Name",
        "namePointing": len(field.references) > 1,
        "permissionable": field.custom,
        "picklistValues": [
            {
                "value": one.value,
                "label": one.value,
                "active": True,
                "defaultValue": one.default,
                "validFor": None,
            }
            for one in field.values
        ],
        "referenceTo": list(field.references),
        "relationshipName": field.relationship,
        "relationshipOrder": None,
        "restrictedPicklist": field.restricted,
    }


def _soap(field: Field) -> str:
    if field.type in TEXT_TYPES:
        return "xsd:string"
    if field.type in NUMBER_TYPES and field.type is not FieldType.INT:
        return "xsd:double"
    return _SOAP[field.type]
