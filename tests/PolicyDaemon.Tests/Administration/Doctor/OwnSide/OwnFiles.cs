using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using PolicyDaemon.Tests.Support;

namespace PolicyDaemon.Tests.Administration.Doctor.OwnSide;

/// <summary>Files of certificates and keys in a directory that goes with the test.</summary>
internal sealed class OwnFiles : IDisposable
{
    private readonly string directory = Directory.CreateTempSubdirectory("policydaemon-own").FullName;

    internal string Path(string name) => System.IO.Path.Combine(directory, name);

    internal string Write(string name, string content, UnixFileMode mode = UnixFileMode.UserRead | UnixFileMode.UserWrite)
    {
        File.WriteAllText(Path(name), content);
        File.SetUnixFileMode(Path(name), mode);
        return Path(name);
    }

    internal static X509Certificate2 Certificate(int days, bool selfSigned = false, bool rsa = false) =>
        TestCertificates.Create(["mx.example.com"], selfSigned, rsa, notAfter: TestCertificates.Now.AddDays(days).AddHours(1));

    internal static string Key(X509Certificate2 certificate)
    {
        using AsymmetricAlgorithm key = (AsymmetricAlgorithm?)certificate.GetECDsaPrivateKey() ?? certificate.GetRSAPrivateKey()!;
        return key.ExportPkcs8PrivateKeyPem() + "\n";
    }

    internal static string Pem(X509Certificate2 certificate) => certificate.ExportCertificatePem() + "\n";

    public void Dispose() => Directory.Delete(directory, recursive: true);
}
