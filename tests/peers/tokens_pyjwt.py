"""Tokens of every algorithm that PyJWT knows, with the keys that verify them, as JSON; run where PyJWT is installed."""

import json

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa

CLAIMS = {"sub": "u-1", "roles": ["qa"], "name": "Zoë"}
SECRET = "a secret of Python, 64 bytes or more, so that every one of HS256 to HS512 is content"


def pem(key, is_public):
    if is_public:
        shape = serialization.PublicFormat.SubjectPublicKeyInfo
        return key.public_key().public_bytes(serialization.Encoding.PEM, shape).decode()
    shape = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, shape, serialization.NoEncryption()).decode()


def jwk_of(alg, key):
    """The public key as a JWK, by PyJWT's own writer."""
    algorithm = jwt.get_algorithm_by_name(alg)
    return algorithm.to_jwk(key.public_key())


def main():
    rsa_key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    keys = {
        **{alg: rsa_key for alg in ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")},
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "ES256K": ec.generate_private_key(ec.SECP256K1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "EdDSA over Ed448": ed448.Ed448PrivateKey.generate(),
    }
    made = [{"alg": alg, "token": jwt.encode(CLAIMS, SECRET, alg), "secret": SECRET} for alg in ("HS256", "HS384", "HS512")]
    for name, key in keys.items():
        alg = name.split(" ")[0]
        token = jwt.encode(CLAIMS, key, alg, headers={"kid": "k1"})
        made.append({"alg": alg, "token": token, "secret": pem(key, True), "form": f"{name}, PEM"})
        made.append({"alg": alg, "token": token, "secret": pem(key, False), "form": f"{name}, private PEM"})
        jwk = json.loads(jwk_of(alg, key))
        made.append({"alg": alg, "token": token, "secret": json.dumps(jwk), "form": f"{name}, JWK"})
        others = [json.loads(jwk_of(other, keys[other])) | {"kid": other} for other in ("ES256", "RS256")]
        made.append({"alg": alg, "token": token, "secret": json.dumps({"keys": [*others, jwk | {"kid": "k1"}]}), "form": f"{name}, JWK Set"})
    print(json.dumps(made))


main()
