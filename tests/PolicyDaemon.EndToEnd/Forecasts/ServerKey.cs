using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.EndToEnd.Lab;

namespace PolicyDaemon.EndToEnd.Forecasts;

/// <summary>The private key of a server or of an authority.</summary>
/// <param name="Pem">As a server reads it.</param>
/// <param name="Public">Its public half.</param>
/// <param name="Own">The key where .NET has its algorithm; null where only OpenSSL does, and it cannot sign here.</param>
internal sealed record ServerKey(string Pem, PublicKey Public, AsymmetricAlgorithm? Own)
{
    public static ServerKey Ecdsa(ECCurve curve)
    {
        var key = ECDsa.Create(curve);
        return new ServerKey(key.ExportPkcs8PrivateKeyPem(), new PublicKey(key), key);
    }

    public static ServerKey Ecdsa() => Ecdsa(ECCurve.NamedCurves.nistP256);

    public static ServerKey Rsa(int bits = 2048)
    {
        var key = RSA.Create(bits);
        return new ServerKey(key.ExportPkcs8PrivateKeyPem(), new PublicKey(key), key);
    }

    /// <summary>A key of an algorithm that only OpenSSL has.</summary>
    /// <param name="options">Of <c>openssl genpkey</c>.</param>
    public static async Task<ServerKey> OfOpenSslAsync(params string[] options)
    {
        var pem = (await CommandLine.RunAsync(["openssl", "genpkey", .. options])).Require();
        var text = (await CommandLine.RunAsync(["openssl", "pkey", "-pubout"], pem)).Require();
        var der = Convert.FromBase64String(text[PemEncoding.Find(text).Base64Data]);
        return new ServerKey(pem, PublicKey.CreateFromSubjectPublicKeyInfo(der, out _), null);
    }
}
