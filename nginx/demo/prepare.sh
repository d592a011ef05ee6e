# shellcheck shell=bash
# The demo's files below $VAR: secrets, certificates, configuration. Made once or made anew, so
# that every start is the same. Sourced by nginx/demo/demo, which sets the umask to 077.

make_folders() {
    mkdir -p "$VAR"/{parts,log,secrets,tls,tmp,nginx,www/shop}
    if [ "$NEAR" = "$VAR" ]; then
        mkdir -p "$RUN"
    else
        # Nobody else may have made it before us: /tmp is everyone's.
        mkdir "$RUN" 2>/dev/null || { [ -d "$RUN" ] && [ -O "$RUN" ] && [ ! -L "$RUN" ]; } ||
            die "$RUN belongs to somebody else: remove it, or choose a shorter VAR"
        chmod 0700 "$RUN"
        ln -sfn "$VAR" "$NEAR"
    fi
}

# The database's files are mostly empty: their copy has holes there.
copy_template() {
    [ -z "${DEMO_TEMPLATE:-}" ] || [ -d "$VAR/db" ] ||
        cp -a --sparse=always "$DEMO_TEMPLATE"/{secrets,tls,db} "$VAR"
}

# Standard input becomes the file, whole or not at all.
put() {
    cat >"$1.new"
    mv "$1.new" "$1"
}

make_secrets() {
    local name
    for name in database database_admin token api_key_hash payviox payviox_public payviox_webhook nonstopay mangopay \
        alice_key bob_key mallory_key olivia_key; do
        [ -s "$VAR/secrets/$name" ] || openssl rand -hex 32 | put "$VAR/secrets/$name"
    done
    [ -s "$VAR/secrets/receiver_1" ] ||
        printf 'whsec_%s\n' "$(openssl rand -base64 32)" | put "$VAR/secrets/receiver_1"
}

secret() {
    printf '%s' "$(<"$VAR/secrets/$1")"
}

# An authority of our own, once; its certificate for localhost, again when a day is left.
make_certificates() {
    local tls=$VAR/tls
    local curve=(-newkey ec -pkeyopt "ec_paramgen_curve:P-256" -nodes)
    if [ ! -s "$tls/ca.pem" ]; then
        rm -f "$tls/server.pem"
        openssl req -x509 "${curve[@]}" -keyout "$tls/ca.key" -out "$tls/ca.pem.new" -days 3650 \
            -config "$HERE/openssl.cnf" -extensions authority \
            -subj "/CN=Guichet demo authority" 2>/dev/null
        mv "$tls/ca.pem.new" "$tls/ca.pem"
    fi
    if ! openssl x509 -in "$tls/server.pem" -noout -checkend 86400 >/dev/null 2>&1; then
        openssl req -x509 "${curve[@]}" -keyout "$tls/server.key" -out "$tls/server.pem.new" \
            -days 365 -config "$HERE/openssl.cnf" -extensions server \
            -CA "$tls/ca.pem" -CAkey "$tls/ca.key" -subj "/CN=localhost" 2>/dev/null
        mv "$tls/server.pem.new" "$tls/server.pem"
    fi
}

# fill TEMPLATE: prints it with the values of this instance.
fill() {
    local text name user_line=
    [ "$(id -u)" -ne 0 ] || user_line='user root;'
    local -A values=([ROOT]=$ROOT [VAR]=$NEAR [RUN]=$RUN [PORT]=$PORT
        [SANDBOX_PORT]=$SANDBOX_PORT [USER_LINE]=$user_line)
    text=$(<"$1")
    for name in "${!values[@]}"; do
        text=${text//"@$name@"/"${values[$name]}"}
    done
    printf '%s\n' "$text"
}

make_configuration() {
    local conf override
    conf=$(fill "$HERE/guichet.conf.in")
    for override in ${DEMO_SET:-}; do
        [[ $override == ?*.?*=* ]] || die "DEMO_SET wants section.key=value, not $override"
        conf=$(set_option "$override" <<<"$conf")
    done
    put "$VAR/guichet.conf" <<<"$conf"
    fill "$HERE/sandbox.conf.in" | put "$VAR/sandbox.conf"
    make_nginx_folder
    write_shelf | put "$VAR/www/shop/demo.json"
}

# What the shop's page cannot ask Guichet for: who there is, and some of the items of sql/demo.sql.
write_shelf() {
    local seq
    printf '{"instance":"%s",\n' "$(sha256sum <"$VAR/secrets/alice_key" | cut -c1-16)"
    printf '"users":[{"name":"alice","apiKey":"%s"},{"name":"bob","apiKey":"%s"}],\n' \
        "$(secret alice_key)" "$(secret bob_key)"
    printf '"sandbox":"%s","items":[\n' "$SANDBOX_URL"
    printf '{"assetId":"987654321","name":"Mann Co. Supply Crate Key","price":1500},\n'
    printf '{"assetId":"987654322","name":"Team Captain","price":2500}'
    for seq in {1..10}; do
        printf ',\n{"assetId":"%d","name":"Demo item %d","price":%d}' \
            $((900000000 + seq)) "$seq" $((100 + seq * 37 % 901))
    done
    printf ']}\n'
}

# set_option section.key=value: copies an INI file and replaces or adds the setting.
set_option() {
    local name=${1%%=*}
    SECTION="[${name%%.*}]" KEY=${name#*.} VALUE=${1#*=} awk '
        BEGIN { key = ENVIRON["KEY"]; line = key " = " ENVIRON["VALUE"] }
        /^\[/ {
            inside = ($0 == ENVIRON["SECTION"])
            print
            if (inside) { print line; done = 1 }
            next
        }
        !(inside && $1 == key)
        END { if (!done) print "\n" ENVIRON["SECTION"] "\n" line }'
}

# The folder that stands for /etc/nginx.
make_nginx_folder() {
    ln -sfn "$ROOT/nginx/conf.d" "$VAR/nginx/conf.d"
    ln -sfn "$ROOT/nginx/snippets" "$VAR/nginx/snippets"
    fill "$HERE/nginx.conf.in" | put "$VAR/nginx/nginx.conf"
    rm -rf "$VAR/nginx/guichet-unlimited.d"
    if [ "${DEMO_RATE:-on}" = off ]; then
        mkdir "$VAR/nginx/guichet-unlimited.d"
        printf '127.0.0.1 0;\n' | put "$VAR/nginx/guichet-unlimited.d/demo.conf"
    fi
    make_origins_folder
}

make_origins_folder() {
    local folder=$VAR/nginx/guichet-origins.d origin
    rm -rf "$folder"
    mkdir "$folder"
    for origin in ${DEMO_ORIGINS:-}; do
        [[ $origin =~ ^https?://[a-z0-9.-]+(:[0-9]+)?$ ]] ||
            die "DEMO_ORIGINS wants https://host or https://host:port, not $origin"
        printf '%s 1;\n' "$origin"
    done | put "$folder/demo.conf"
}

# What a script or a test needs to know, as lines that a shell can source.
write_env() {
    local name
    local -A values=([GUICHET_URL]=$GUICHET_URL [SANDBOX_URL]=$SANDBOX_URL
        [CA_CERT]=$VAR/tls/ca.pem [ALICE_KEY]=$(secret alice_key) [BOB_KEY]=$(secret bob_key)
        [MALLORY_KEY]=$(secret mallory_key) [OPERATOR_KEY]=$(secret olivia_key)
        [DB_SOCKET]=$RUN/mariadb.sock [DB_NAME]=guichet [DB_ADMIN_USER]=guichet_admin
        [DB_ADMIN_PASSWORD_FILE]=$VAR/secrets/database_admin
        [VAR]=$VAR [CONF]=$VAR/guichet.conf [RUN]=$RUN)
    for name in "${!values[@]}"; do
        printf "%s='%s'\n" "$name" "${values[$name]}"
    done | LC_ALL=C sort | put "$VAR/demo.env"
}
