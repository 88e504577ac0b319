"""Do HubSpot, the ledger and Salesforce agree, and is each lead in exactly one state?"""
