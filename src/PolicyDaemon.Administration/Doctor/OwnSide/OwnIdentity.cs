using System.Collections.Immutable;
using PolicyDaemon.Administration.Postfix;

namespace PolicyDaemon.Administration.Doctor.OwnSide;

/// <summary>A certificate of our own with its private key, as main.cf names them.</summary>
/// <param name="Parameter">The parameter that names the certificate, such as <c>smtpd_tls_cert_file</c>.</param>
/// <param name="KeyParameter">The parameter that names the key.</param>
/// <param name="Certificate">The file with the certificate.</param>
/// <param name="Key">The file with the key; the same one where they stand together.</param>
public sealed record OwnIdentity(string Parameter, string KeyParameter, PemFile Certificate, PemFile Key)
{
    // A directory of certificates has some tens of files; beyond that nobody expects us to look.
    private const int MostNeighbours = 200;

    private static readonly (string Certificate, string Key)[] Pairs = [("cert_file", "key_file"), ("dcert_file", "dkey_file"), ("eccert_file", "eckey_file")];

    /// <summary>A file nearby whose private key fits the certificate, where its own does not; null where there is none.</summary>
    public string? FittingKey { get; init; }

    /// <summary>A file nearby with a certificate for the same key that ends later; null where there is none.</summary>
    public string? LaterCertificate { get; init; }

    /// <summary>True where the key is the certificate's; null where that cannot be compared.</summary>
    public bool? Fits => Certificate.Leaf is { } leaf && Key.PrivateKey is { Kind: PemKind.PrivateKey } key ? key.PublicKey.AsSpan().SequenceEqual(leaf.PublicKey.AsSpan()) : null;

    /// <summary>The certificates and keys of the SMTP server or client.</summary>
    /// <param name="postfix">The configuration.</param>
    /// <param name="side"><c>smtpd</c> or <c>smtp</c>.</param>
    /// <param name="read">Reads a file.</param>
    public static IReadOnlyList<OwnIdentity> Of(PostfixConfiguration postfix, string side, Func<string, PemFile> read)
    {
        ArgumentNullException.ThrowIfNull(postfix);
        ArgumentNullException.ThrowIfNull(read);
        var chain = $"{side}_tls_chain_files";
        // postconf(5): where chain files are set, the other parameters do not count.
        return postfix.List(chain) is { Count: > 0 } files
            ? OfChain(chain, [.. files.Select(read)])
            : [.. Pairs.Select(pair => OfFiles(postfix, $"{side}_tls_{pair.Certificate}", $"{side}_tls_{pair.Key}", read)).OfType<OwnIdentity>()];
    }

    /// <summary>The identity with what lies beside its files and would settle what is wrong with it.</summary>
    public OwnIdentity WithNeighbours()
    {
        var searchesKey = Fits == false || Key.PrivateKey is null;
        if (Certificate.Leaf is not { } leaf)
            return this;
        var neighbours = Neighbours().Select(PemFile.Read).ToList();
        return this with
        {
            FittingKey = searchesKey
                ? neighbours.FirstOrDefault(file => file.Items.Any(item => item.Kind == PemKind.PrivateKey && item.PublicKey.AsSpan().SequenceEqual(leaf.PublicKey.AsSpan())))?.Path
                : null,
            LaterCertificate = neighbours.Where(file => file.Leaf is { } other && other.NotAfter > leaf.NotAfter && other.PublicKey.AsSpan().SequenceEqual(leaf.PublicKey.AsSpan()))
                .OrderByDescending(file => file.Leaf!.NotAfter).FirstOrDefault()?.Path,
        };
    }

    private IEnumerable<string> Neighbours()
    {
        foreach (var folder in new[] { Path.GetDirectoryName(Certificate.Path), Path.GetDirectoryName(Key.Path) }.Distinct())
        {
            if (folder is not { Length: > 0 } || !Directory.Exists(folder))
                continue;
            foreach (var file in Directory.EnumerateFiles(folder).Take(MostNeighbours).Where(file => file != Certificate.Path && file != Key.Path).Order(StringComparer.Ordinal))
                yield return file;
        }
    }

    private static OwnIdentity? OfFiles(PostfixConfiguration postfix, string certificate, string key, Func<string, PemFile> read)
    {
        // postconf(5): "none" for no certificate; the key's default is the certificate's file.
        if (postfix[certificate] is not { Length: > 0 } path || path == "none")
            return null;
        var file = read(path);
        var keyPath = postfix[key] is { Length: > 0 } named ? named : path;
        return new OwnIdentity(certificate, key, file, keyPath == path ? file : read(keyPath));
    }

    /// <summary>Chain files: each key, then its certificate and the issuers' (postconf(5), smtpd_tls_chain_files).</summary>
    private static List<OwnIdentity> OfChain(string parameter, IReadOnlyList<PemFile> files)
    {
        var found = new List<OwnIdentity>();
        PemFile? key = null;
        foreach (var file in files)
        {
            if (file.Items.IsEmpty)
            {
                found.Add(new OwnIdentity(parameter, parameter, file, file));
                continue;
            }

            for (var i = 0; i < file.Items.Length; i++)
            {
                if (file.Items[i].Kind is PemKind.PrivateKey or PemKind.EncryptedKey or PemKind.UnknownKey)
                    key = file with { Items = [file.Items[i]] };
                else if (file.Items[i].Kind == PemKind.Certificate && key is not null)
                {
                    found.Add(new OwnIdentity(parameter, parameter, file with { Items = Certificates(file.Items, i) }, key));
                    key = null;
                }
            }
        }

        return found;
    }

    private static ImmutableArray<PemItem> Certificates(ImmutableArray<PemItem> items, int from) => [.. items.Skip(from).TakeWhile(item => item.Kind == PemKind.Certificate)];
}
