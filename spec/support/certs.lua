-- Certificates made when first asked for, in a folder that goes away with the Lua state. Each is a
-- table { cert = path, key = path, ca = path of what a client must trust to accept it }.

local files = require "support.files"

-- busted forgets loaded modules between spec files; the registry does not.
local registry, KEY = debug.getregistry(), "steadysocket.spec.certs"
if registry[KEY] then return registry[KEY] end

local SCRIPT = [[
set -e
new="-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes"
authority() { # name
  openssl req -x509 $new -keyout $1.key -out $1.pem -days 2 -subj "/CN=spec $1"
}
request() { # name, subject, alternative names
  openssl req $new -keyout $1.key -out $1.csr -subj "/CN=$2"
  printf 'subjectAltName=%s' "$3" > $1.ext
}
sign() { # name, subject, authority, alternative names
  request "$1" "$2" "$4"
  openssl x509 -req -in $1.csr -CA $3.pem -CAkey $3.key -CAcreateserial -days 2 -extfile $1.ext \
    -out $1.pem
}
# Only `openssl ca` takes dates of the past in every version of OpenSSL.
sign_expired() { # as sign
  request "$1" "$2" "$4"
  printf '[ca]\ndefault_ca=past\n[past]\ndatabase=past.index\nnew_certs_dir=.\nrand_serial=yes\n' > past.cnf
  printf 'default_md=sha256\npolicy=any\nunique_subject=no\n[any]\ncommonName=supplied\n' >> past.cnf
  : > past.index
  openssl ca -batch -config past.cnf -in $1.csr -cert $3.pem -keyfile $3.key -startdate 20200101000000Z \
    -enddate 20200102000000Z -extfile $1.ext -notext -out $1.pem
}
here=DNS:localhost,IP:127.0.0.1,IP:::1
authority ca
authority unknown_ca
sign good localhost ca $here
sign_expired expired localhost ca $here
sign wrong_host other.example ca DNS:other.example
sign unknown localhost unknown_ca $here
sign common_name "$(printf 'old\033[2J.example')" ca email:admin@old.example
sign many_names localhost ca $(seq -s , -f DNS:host-%g.some.long.example 40)
sign for_clients localhost ca "$here
extendedKeyUsage=clientAuth"
sign client "spec client" ca DNS:client.example
openssl ec -in client.key -aes128 -passout pass:secret -out client_locked.key
openssl req -x509 $new -keyout self_signed.key -out self_signed.pem -days 2 -subj /CN=localhost \
  -addext subjectAltName=$here
]]

local folder = files.new_folder "certs"

local function run(script)
  files.write(folder .. "/make.sh", script)
  if not os.execute(("cd %s && sh make.sh > log 2>&1"):format(folder)) then
    for line in io.lines(folder .. "/log") do io.stderr:write(line, "\n") end
    error "openssl could not make the certificates"
  end
end

run(SCRIPT)

local function path(name)
  return folder .. "/" .. name
end

local function pair(name, ca)
  return { cert = path(name .. ".pem"), key = path(name .. ".key"), ca = path(ca .. ".pem") }
end

local certs = {
  ca = path "ca.pem", -- signs all but self_signed and unknown
  good = pair("good", "ca"), -- localhost, 127.0.0.1, ::1
  expired = pair("expired", "ca"),
  wrong_host = pair("wrong_host", "ca"), -- other.example
  unknown = pair("unknown", "unknown_ca"), -- good, but by an authority of its own
  common_name = pair("common_name", "ca"), -- old\27[2J.example, which is no subjectAltName
  many_names = pair("many_names", "ca"), -- host-1.some.long.example to host-40.some.long.example
  for_clients = pair("for_clients", "ca"), -- good, but not for servers
  self_signed = pair("self_signed", "self_signed"),
  client = pair("client", "ca"),
  client_locked = {
    cert = path "client.pem",
    key = path "client_locked.key",
    ca = path "ca.pem",
    password = "secret",
  },
}

registry[KEY] = setmetatable(certs, {
  __gc = function() os.execute("rm -rf " .. folder) end,
})
return certs
