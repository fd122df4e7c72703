-- A row of the table: a rule, and the cases that show whether it is kept. rfc and section: where it
-- is; level: how strong it is there.

return function(rfc, section, level, rule, cases)
  return { rfc = rfc, section = section, level = level, rule = rule, cases = cases }
end
