# The Debian image of tests/lib/images.sh: debootstrap's minbase below five layers made by buildah.
# Everything that buildah keeps is under $IMAGES/debian.work; nothing is mounted when it ends.
#
# The mirror is the one that this machine's apt has for its own release.

debian_mirror() {
	local release
	release=$(. /etc/os-release && echo "$VERSION_CODENAME")
	apt-get indextargets --format '$(REPO_URI) $(RELEASE) $(COMPONENT)' 'Created-By: Packages' |
		awk -v release="$release" '$2 == release && $3 == "main" { print $1, release; exit }'
}

# Prints export lines for the proxy that apt uses, if it uses one.
debian_proxy() {
	apt-config shell http_proxy Acquire::http::Proxy https_proxy Acquire::https::Proxy | sed 's/^/export /'
}

debian_base() {
	local work=$1 mirror release
	read -r mirror release < <(debian_mirror)
	eval "$(debian_proxy)"
	rm -rf "$work/root" "$work/base.tar"
	# debootstrap mounts /proc in its target: in a mount namespace that ends with it.
	unshare --mount --propagation private \
		debootstrap --variant=minbase "$release" "$work/root" "$mirror"
	rm -rf "$work/root"/var/cache/apt/archives/*.deb "$work/root"/var/lib/apt/lists/* "$work/root"/dev/*
	tar --create --file "$work/base.tar.tmp" --directory "$work/root" --xattrs --numeric-owner --sort=name .
	rm -rf "$work/root"
	mv "$work/base.tar.tmp" "$work/base.tar"
}

# One layer a line: see it as the list of what a layer can do to those below it.
debian_containerfile() {
	cat <<-'END'
	FROM scratch
	ADD base.tar /
	RUN apt-get -q update && apt-get -q -y --no-install-recommends install python3-minimal libcap2-bin && rm -rf /var/lib/apt/lists/* /var/cache/apt/*.bin /var/log/*.log
	RUN rm -rf /usr/share/doc /usr/share/locale /etc/motd /usr/share/common-licenses && mkdir /usr/share/doc && echo fresh >/usr/share/doc/README
	RUN cp /bin/true /usr/local/bin/bound && setcap cap_net_bind_service=ep /usr/local/bin/bound && cp /bin/true /usr/local/bin/setuid && chmod 4755 /usr/local/bin/setuid && echo hard >/srv/one && ln /srv/one /srv/two && ln /bin/true /bin/true-too && mkfifo /srv/fifo && mknod /srv/null c 1 3 && truncate -s 8M /srv/sparse && echo end >>/srv/sparse && touch -d '2001-02-03 04:05:06' /srv/old && chown 12345:70000 /srv/old
	RUN rm -rf /usr/share/perl5/Debconf /usr/share/bug /etc/skel && mkdir /usr/share/bug && echo file >/etc/skel && rm /etc/issue && mkdir /etc/issue && echo in >/etc/issue/in && rm /etc/issue.net && ln -s issue/in /etc/issue.net && mkdir -p '/srv/a name with spaces' && touch "/srv/$(printf 'latin-\351')" "/srv/$(printf '%0200d' 1)"
	COPY hello.pl hello.py /usr/local/bin/
	ENV LANG=C.UTF-8 MADE_BY=buildah
	LABEL org.example.kind=debian
	CMD ["/bin/bash"]
	END
}

debian_scripts() {
	printf '%s\n' '#!/usr/bin/perl' 'use strict; use POSIX ();' 'my $sum = 0; $sum += $_ for 1 .. 100;' \
		'print "perl $sum ", (POSIX::uname())[0], "\n";' >"$1/hello.pl"
	printf '%s\n' '#!/usr/bin/python3' 'import os, sys' \
		'print("python", sum(range(101)), os.uname().sysname)' >"$1/hello.py"
	chmod 755 "$1/hello.pl" "$1/hello.py"
}

# buildah_in WORK COMMAND…: overlay where the file system can carry it, because only there buildah
# writes opaque directories; else vfs.
buildah_in() {
	local work=$1
	shift
	buildah --root "$work/storage" --runroot "$work/run" --storage-driver "$(cat "$work/driver")" "$@"
}

debian_driver() {
	local work=$1 driver=vfs
	mkdir -p "$work/probe"/{lower,upper,work,merged}
	if unshare --mount sh -c "cd '$work/probe' && mount -t overlay -o lowerdir=lower,upperdir=upper,workdir=work overlay merged"; then
		driver=overlay
	fi
	rm -rf "$work/probe"
	echo "$driver" >"$work/driver"
}

debian_build() {
	local work=$1
	rm -rf "$work"
	mkdir -p "$work/context"
	debian_driver "$work"
	debian_base "$work/context"
	debian_scripts "$work/context"
	debian_containerfile >"$work/context/Containerfile"
	(
		eval "$(debian_proxy)"
		unshare --mount --propagation private buildah --root "$work/storage" --runroot "$work/run" \
			--storage-driver "$(cat "$work/driver")" bud --isolation chroot --cap-add CAP_MKNOD --layers --format oci \
			-t debian:latest "$work/context"
	)
	rm -rf "$work/context"
	touch "$work/built"
}

# debian_make KIND OUT
debian_make() {
	local kind=$1 out=$2 work=$IMAGES/debian.work how=${1#*:} storage
	if ! [ "$work/built" -nt "$TOP/tests/lib/debian.sh" ]; then debian_build "$work"; fi
	storage=containers-storage:[$(cat "$work/driver")@$work/storage+$work/run]localhost/debian:latest
	rm -rf "$out" "$out.tmp"
	case $kind in
	docker) set -- "docker-archive:$out.tmp:debian:latest" ;;
	oci:*) set -- --dest-compress-format "$how" "oci:$out.tmp:latest" ;;
	*) echo "debian: there is no kind $kind" >&2; return 1 ;;
	esac
	unshare --mount --propagation private skopeo --insecure-policy --tmpdir "$IMAGES" copy "${@:1:$#-1}" "$storage" "${@: -1}"
	mv "$out.tmp" "$out"
	touch "$out"
}
