# apt on a state of its own, for rootfs/deps.sh.
#
# The entries are a copy of those host entries that lead to Debian's or Ubuntu's own
# archive, with sources added: nobody else's package called zlib is ever built in.
# Needs: $apt, a directory; $debian, the architecture; say, die. $etc: the host's entries.
# $apt_suite: another suite of the same archive in place of the host's, and no sources.
etc=${etc:-/etc/apt}
apt_suite=${apt_suite:-}

# The host's entries in both formats -> deb822 stanzas of ours.
apt_entries() {
	local lists=("$etc"/sources.list.d/*.list)
	[[ ! -e $etc/sources.list ]] || lists+=("$etc/sources.list")
	cat /dev/null "${lists[@]}" |
		awk -v arch="$debian" '
		$1 != "deb" { next }
		{
			sub(/#.*/, ""); sub(/^[ \t]*deb[ \t]+/, ""); fields = ""
			if (match($0, /^\[[^]]*\]/)) {
				n = split(substr($0, 2, RLENGTH - 2), option, " ")
				for (i = 1; i <= n; i++)
					if (option[i] ~ /^(signed-by|trusted|check-valid-until)=/) {
						sub(/=/, ": ", option[i]); fields = fields option[i] "\n"
					}
				sub(/^\[[^]]*\]/, "")
			}
			uri = $1; suite = $2; $1 = $2 = ""
			printf "Types: deb\nURIs: %s\nSuites: %s\nComponents: %s\n%s\n", uri, suite, $0, fields
		}'
	cat /dev/null "$etc"/sources.list.d/*.sources | sed '/^#/d'
}

apt_sources() {
	apt_entries | awk -v RS= -v arch="$debian" -v suite="$apt_suite" '
	# The words of a field that match a pattern.
	function words(text, pattern,	n, i, word, kept) {
		n = split(text, word, /[ \t\n]+/)
		for (i = 1; i <= n; i++)
			if (word[i] != "" && word[i] ~ pattern) kept = kept " " word[i]
		return kept
	}
	{
		split("", field); rest = ""; name = ""
		n = split($0, line, "\n")
		for (i = 1; i <= n; i++) {
			if (line[i] !~ /^[ \t]/) {
				name = tolower(line[i]); sub(/:.*/, "", name)
				value = line[i]; sub(/^[^:]*:[ \t]*/, "", value)
				field[name] = value
			} else
				field[name] = field[name] "\n" line[i]
		}
		types = words(field["types"], "^deb$")
		uris = words(field["uris"], "^(https?|file|mirror[+a-z]*):.*/(debian|ubuntu)[^/]*(/[0-9TZ]+)?/?$")
		suites = words(field["suites"], "^[a-z]+([-/](updates|security|proposed-updates))?/?$")
		components = words(field["components"], "^(main|universe)$")
		if (field["enabled"] == "no" || uris ~ /\/ppa\// ||
		    !(types && uris && suites && components))
			next
		if (suite && suites !~ /(^| )[a-z]+( |$)/)
			next # only security, whose paths differ, or updates
		print "Types: deb" (suite ? "" : " deb-src") "\nURIs:" uris
		print "Suites:" (suite ? " " suite : suites)
		print "Components:" components "\nArchitectures: " arch
		for (name in field)
			if (name ~ /^(signed-by|trusted|check-valid-until)$/)
				print name ": " field[name]
		print ""
	}'
}

apt_config() {
	cat <<-END
	Dir::State "$apt";
	Dir::State::lists "lists";
	Dir::State::status "status";
	Dir::Cache "$apt/cache";
	Dir::Etc::sourcelist "/dev/null";
	Dir::Etc::sourceparts "$apt/sources";
	APT::Architecture "$debian";
	#clear APT::Architectures;
	APT::Architectures { "$debian"; };
	APT::Sandbox::User "root";
	Acquire::Languages "none";
	Acquire::Retries "3";
	#clear APT::Update::Pre-Invoke;
	#clear APT::Update::Post-Invoke;
	#clear APT::Update::Post-Invoke-Success;
	END
}

apt_get() { apt-get -c "$apt/apt.conf" "$@"; }
apt_has() { apt-cache -c "$apt/apt.conf" show "$1" >/dev/null 2>&1; }

# Fetches the lists, once in a run.
apt_update() {
	[[ -e $apt/updated ]] && return
	mkdir -p "$apt/lists/partial" "$apt/cache/archives/partial" "$apt/sources"
	: >"$apt/status"
	apt_config >"$apt/apt.conf"
	apt_sources >"$apt/sources/own.sources"
	[[ -s $apt/sources/own.sources ]] ||
		die "no entry for Debian's or Ubuntu's archive in /etc/apt"
	# A mirror in the middle of its own update is mostly right again a moment later; a
	# package whose list is missing for good is missed below.
	apt_get -qq update || { sleep 10; apt_get -qq update; } ||
		say "some package lists cannot be had now: going on with the others"
	local origin
	origin=$(apt_get indextargets --format '$(ORIGIN)' |
		awk '!/^(Debian|Ubuntu)$/ { other = $0 } END { print other }')
	[[ -z $origin ]] || die "the archive of $origin is not Debian's or Ubuntu's"
	: >"$apt/updated"
}
