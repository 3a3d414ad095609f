#!/bin/sh
# Claim      liblognorm's field type `json` takes the blanks behind the object, too. So a rule with text behind it,
#            `%data:json% from %host:word%`, never matches, though it reads like the line; without the blank in the
#            rule it does. The types in front of and behind other text (`word`, `number`, `quoted-string`) leave the
#            blank to the rule.
# Version    liblognorm 2.0.6 (Debian 12)
# Good guess A field ends where its value ends, and the blank in the rule matches the blank in the line.
# Matters    rsyslog's mmnormalize marks all those lines as unparsed; nothing says that the rule can never match.
. "$(dirname "$0")/support.sh"
debian liblognorm-utils 2.0.6-4

cd "$work"
cat >with.rb <<'END'
version=2
rule=:%data:json% from %host:word%
rule=:%name:quoted-string% from %host:word%
END
cat >without.rb <<'END'
version=2
rule=:%data:json%from %host:word%
END
cat >lines <<'END'
{"speed": 12} from bus7
"speed" from bus7
END
for rules in with without; do
  lognormalizer -r $rules.rb <lines >$rules 2>&1
  say "$rules the blank:"
  sed 's/^/  /' $rules
done
verdict sh -c 'grep -q "unparsed-data.*from bus7" with && grep -q "\"name\"" with &&
               grep -q "\"data\".*speed.*12" without'
