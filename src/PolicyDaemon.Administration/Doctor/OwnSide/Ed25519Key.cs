using System.Collections.Immutable;
using System.Formats.Asn1;
using System.Numerics;
using System.Security.Cryptography;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>The public key of an Ed25519 private key, which .NET does not compute.</summary>
/// <remarks>
/// <code>
/// PKCS #8   SEQUENCE { version, SEQUENCE { OID 1.3.101.112 }, OCTET STRING { OCTET STRING { 32 octets } }, ... }     RFC 8410 section 7
/// public    (s * B) encoded, where s is the pruned first half of SHA-512 of the 32 octets and B the base point       RFC 8032 section 5.1.5
/// </code>
/// It takes a time that depends on the key. Nobody can measure that from afar: it is computed for whoever may read the file.
/// </remarks>
internal static class Ed25519Key
{
    private const int Octets = 32;
    private const string Algorithm = "1.3.101.112";

    // RFC 8032 section 5.1: p = 2^255 - 19, d = -121665/121666, B as printed there.
    private static readonly BigInteger P = BigInteger.Pow(2, 255) - 19;
    private static readonly BigInteger D = Mod(-121665 * Inverse(121666));
    private static readonly BigInteger BaseX = BigInteger.Parse("15112221349535400772501151409588531511454012693041857206046113283949847762202", System.Globalization.CultureInfo.InvariantCulture);
    private static readonly BigInteger BaseY = Mod(4 * Inverse(5));

    /// <summary>The DER SubjectPublicKeyInfo that belongs to a private key in PKCS #8; null where it is of another algorithm.</summary>
    internal static ImmutableArray<byte>? PublicKeyOf(ReadOnlyMemory<byte> pkcs8)
    {
        try
        {
            var key = new AsnReader(pkcs8, AsnEncodingRules.DER).ReadSequence();
            key.ReadInteger();
            if (key.ReadSequence().ReadObjectIdentifier() != Algorithm)
                return null;
            var seed = new AsnReader(key.ReadOctetString(), AsnEncodingRules.DER).ReadOctetString();
            return seed.Length == Octets ? Info(PublicKey(seed)) : null;
        }
        catch (AsnContentException)
        {
            return null;
        }
    }

    private static ImmutableArray<byte> Info(byte[] publicKey)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
        {
            using (writer.PushSequence())
                writer.WriteObjectIdentifier(Algorithm);
            writer.WriteBitString(publicKey);
        }

        return [.. writer.Encode()];
    }

    private static byte[] PublicKey(byte[] seed)
    {
        var scalar = SHA512.HashData(seed)[..Octets];
        scalar[0] &= 0xF8;
        scalar[^1] = (byte)((scalar[^1] & 0x7F) | 0x40);
        var (x, y) = Times(new BigInteger(scalar, isUnsigned: true));
        var encoded = new byte[Octets];
        y.TryWriteBytes(encoded, out _, isUnsigned: true);
        encoded[^1] |= (byte)(x.IsEven ? 0 : 0x80);
        return encoded;
    }

    /// <summary>The base point times a number, in extended coordinates (RFC 8032 section 5.1.4).</summary>
    private static (BigInteger X, BigInteger Y) Times(BigInteger number)
    {
        var sum = new Point(0, 1, 1, 0);
        var doubled = new Point(BaseX, BaseY, 1, Mod(BaseX * BaseY));
        for (; !number.IsZero; number >>= 1, doubled = Sum(doubled, doubled))
        {
            if (!number.IsEven)
                sum = Sum(sum, doubled);
        }

        var inverse = Inverse(sum.Z);
        return (Mod(sum.X * inverse), Mod(sum.Y * inverse));
    }

    private static Point Sum(Point one, Point other)
    {
        var a = Mod((one.Y - one.X) * (other.Y - other.X));
        var b = Mod((one.Y + one.X) * (other.Y + other.X));
        var c = Mod(2 * one.T * other.T * D);
        var d = Mod(2 * one.Z * other.Z);
        var (e, f, g, h) = (b - a, d - c, d + c, b + a);
        return new Point(Mod(e * f), Mod(g * h), Mod(f * g), Mod(e * h));
    }

    private static BigInteger Mod(BigInteger number) => ((number % P) + P) % P;

    private static BigInteger Inverse(BigInteger number) => BigInteger.ModPow(number, P - 2, P);

    private readonly record struct Point(BigInteger X, BigInteger Y, BigInteger Z, BigInteger T);
}
