"""Local servers that speak HubSpot's, Salesforce's and Slack's HTTP protocols.

The package stands alone: it is a stand-in for the outside world in development, tests and the
demo, and shares no code with the product that talks to it.
"""
