-- The company that a deal opened by an agent is tied to, by HubSpot's id.
alter table action_executions add column company text;
