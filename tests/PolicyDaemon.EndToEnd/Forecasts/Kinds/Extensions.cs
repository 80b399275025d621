using System.Formats.Asn1;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace PolicyDaemon.EndToEnd.Forecasts.Kinds;

/// <summary>Extensions of certificates, and what is missing from them, which .NET and OpenSSL's default verification may judge differently.</summary>
/// <remarks>RFC 5280 section 4.2; Postfix asks OpenSSL for no policies (X509_V_FLAG_POLICY_CHECK) and for the purpose sslserver.</remarks>
internal static class Extensions
{
    private const string Group = "extensions";
    private const string Server = "1.3.6.1.5.5.7.3.1"; // RFC 5280 section 4.2.1.12, as are the next
    private const string Client = "1.3.6.1.5.5.7.3.2";
    private const string Mail = "1.3.6.1.5.5.7.3.4";
    private const string AnyPurpose = "2.5.29.37.0";
    private const string MicrosoftGated = "1.3.6.1.4.1.311.10.3.3"; // server-gated cryptography, which OpenSSL takes for a server's purpose
    private const string NetscapeGated = "2.16.840.1.113730.4.1";
    private const string SomePolicy = "1.3.6.1.4.1.32473.2.1"; // RFC 5612: for documentation
    private const string OtherPolicy = "1.3.6.1.4.1.32473.2.2";
    private const string AnyPolicy = "2.5.29.32.0";

    public static void Write(KindBook book)
    {
        var (forge, root) = (book.Forge, book.Forge.Root);
        ServerKind With(string name, Func<CertificateRecipe, CertificateRecipe> recipe)
        {
            var kind = book.Plain(Group, name);
            return kind.Server(MailServer.With(forge.Issue(recipe(CertificateRecipe.For(kind.Domain, kind.Host)))));
        }

        void Below(string name, params X509Extension[] extensions) =>
            With(name, recipe => recipe with { Issuer = forge.MakeIntermediate($"Issuer {name}", root, extensions: extensions) });

        // Policies of issuance.
        Below("policy-required", Constraints(requires: 0));
        Below("policy-required-later", Constraints(requires: 1));
        Below("policy-mapping-inhibited", Policies(SomePolicy), Constraints(inhibits: 0));
        Below("policy-any-inhibited", Policies(SomePolicy), InhibitAny());
        Below("policy-mapped", Policies(SomePolicy), Mappings(SomePolicy, OtherPolicy));
        Below("policy-any-mapped", Policies(AnyPolicy), Mappings(AnyPolicy, OtherPolicy));
        var demanding = forge.MakeIntermediate("Demanding", root, extensions: [Policies(SomePolicy), Constraints(requires: 0)]);
        With("policy-kept", recipe => recipe with { Issuer = demanding, Extensions = [Policies(SomePolicy)] });
        With("policy-other", recipe => recipe with { Issuer = demanding, Extensions = [Policies(OtherPolicy)] });
        With("policy-required-for-client", recipe => recipe with { Issuer = demanding, Purposes = [Client] });
        With("policy-required-expired", recipe => recipe with { Issuer = demanding, To = TimeSpan.FromDays(-1) });
        With("policy-required-by-root", recipe => recipe with { Issuer = forge.MakeRoot("Demanding Root", ServerKey.Ecdsa(), extensions: [Constraints(requires: 0)]) });
        With("policy-twice", recipe => recipe with { Issuer = root, Extensions = [Policies(SomePolicy, SomePolicy)] });
        var demanded = book.Signed(Group, "policy-required-dane");
        var below = forge.Issue(CertificateRecipe.For(demanded.Host) with { Issuer = demanding });
        demanded.Server(MailServer.With(below)).Tlsa(ServedCertificate.Tlsa(demanding.Certificate, 2, 1, 1));

        // Names.
        Below("names-excluded", Names(1, (2, "plain.test")));
        Below("names-other-excluded", Names(1, (2, "elsewhere.test")));
        Below("names-dot", Names(0, (2, ".plain.test")));
        Below("names-uri-only", Names(0, (6, "elsewhere.test")));
        Below("names-mail-only", Names(0, (1, "elsewhere.test")));
        Below("names-any", Names(0, (2, "")));
        var elsewhere = forge.MakeIntermediate("Names Elsewhere", root, extensions: [Names(0, (2, "elsewhere.test"))]);
        foreach (var name in (string[])["names-common-name", "names-common-name-no-host"])
        {
            var kind = book.Plain(Group, name);
            var subject = name == "names-common-name" ? "CN=" + kind.Host : "CN=A Mail Server";
            kind.Server(MailServer.With(forge.Issue(new CertificateRecipe { Subject = subject, Issuer = elsewhere })));
        }

        With("names-common-name-beside", recipe => recipe with { Issuer = elsewhere, Names = ["mx.elsewhere.test"], Subject = "CN=mx.names-common-name-beside.plain.test" });
        With("names-mailbox", recipe => recipe with { Issuer = forge.MakeIntermediate("Names Mail", root, extensions: [Names(0, (1, "elsewhere.test"))]), Mailboxes = ["postmaster@plain.test"] });
        With("names-by-root", recipe => recipe with { Issuer = forge.MakeRoot("Names Root", ServerKey.Ecdsa(), extensions: [Names(0, (2, "elsewhere.test"))]) });

        // Authorities.
        With("authority-unsaid", recipe => recipe with { Issuer = forge.MakeIntermediate("Unsaid", root, isAuthority: null) });
        With("authority-unsaid-unused", recipe => recipe with { Issuer = forge.MakeIntermediate("Unsaid Unused", root, isAuthority: null, usage: null) });
        With("authority-any-usage", recipe => recipe with { Issuer = forge.MakeIntermediate("Any Usage", root, usage: null) });
        With("authority-version-1", recipe => recipe with { Issuer = forge.MakeVersion1("Version 1", root) });
        With("authority-version-1-root", recipe => recipe with { Issuer = forge.MakeVersion1("Version 1 Root", null, isTrusted: true) });
        With("leaf-authority", recipe => recipe with { Issuer = root, IsAuthority = true });
        With("leaf-authority-self-signed", recipe => recipe with { IsAuthority = true });
        With("leaf-unsaid", recipe => recipe with { Issuer = root, IsAuthority = null });
        var shortest = forge.MakeIntermediate("Shortest Path", root, pathLength: 0);
        With("path-kept", recipe => recipe with { Issuer = shortest });
        With("path-leaf-authority", recipe => recipe with { Issuer = shortest, IsAuthority = true });
        var shortRoot = forge.MakeRoot("Short Root", ServerKey.Ecdsa(), pathLength: 0);
        With("path-of-root-kept", recipe => recipe with { Issuer = shortRoot });
        With("path-of-root-broken", recipe => recipe with { Issuer = forge.MakeIntermediate("Below Short Root", shortRoot) });
        With("root-not-yet-valid", recipe => recipe with { Issuer = forge.MakeRoot("Early Root", ServerKey.Ecdsa(), from: TimeSpan.FromDays(1)) });
        Below("issuer-unknown-critical", new X509Extension("1.3.6.1.4.1.32473.1", [0x05, 0x00], true));
        With("root-unknown-critical", recipe => recipe with
        {
            Issuer = forge.MakeRoot("Critical Root", ServerKey.Ecdsa(), extensions: [new X509Extension("1.3.6.1.4.1.32473.1", [0x05, 0x00], true)]),
        });
        With("serial-negative", recipe => recipe with { Issuer = root, HasNegativeSerial = true });

        // Strength.
        With("md5-intermediate", recipe => recipe with { Issuer = forge.MakeIntermediate("MD5 Issuer", forge.RsaRoot, digest: HashAlgorithmName.MD5) });
        With("rsa-1024-intermediate", recipe => recipe with { Issuer = forge.MakeIntermediate("Small Issuer", root, key: ServerKey.Rsa(1024)) });
        With("rsa-768-intermediate", recipe => recipe with { Issuer = forge.MakeIntermediate("Smaller Issuer", root, key: ServerKey.Rsa(768)) });
        With("rsa-768-root", recipe => recipe with { Issuer = forge.MakeRoot("Smaller Root", ServerKey.Rsa(768)) });

        // Purposes.
        void Purpose(string name, params string[] purposes)
        {
            With($"{name}-leaf", recipe => recipe with { Issuer = root, Purposes = purposes });
            With($"{name}-issuer", recipe => recipe with { Issuer = forge.MakeIntermediate($"Purpose {name}", root, purposes: purposes) });
        }

        Purpose("gated-microsoft", MicrosoftGated);
        Purpose("gated-netscape", NetscapeGated);
        Purpose("any-and-mail", AnyPurpose, Mail);
        Purpose("server-and-mail", Server, Mail);
        With("any-purpose-issuer", recipe => recipe with { Issuer = forge.MakeIntermediate("Any Purpose", root, purposes: [AnyPurpose]) });
        With("client-issuer", recipe => recipe with { Issuer = forge.MakeIntermediate("Client Purpose", root, purposes: [Client]) });
        With("client-root", recipe => recipe with { Issuer = forge.MakeRoot("Client Root", ServerKey.Ecdsa(), purposes: [Client]) });
        var anchored = book.Signed(Group, "client-issuer-dane");
        var client = forge.MakeIntermediate("Client Anchor", root, purposes: [Client]);
        anchored.Server(MailServer.With(forge.Issue(CertificateRecipe.For(anchored.Host) with { Issuer = client }))).Tlsa(ServedCertificate.Tlsa(client.Certificate, 2, 1, 1));
    }

    private static X509Extension Policies(params string[] policies) => Sequence("2.5.29.32", false, writer =>
    {
        foreach (var policy in policies)
        {
            using (writer.PushSequence())
                writer.WriteObjectIdentifier(policy);
        }
    });

    private static X509Extension Mappings(string issuers, string subjects) => Sequence("2.5.29.33", true, writer =>
    {
        using (writer.PushSequence())
        {
            writer.WriteObjectIdentifier(issuers);
            writer.WriteObjectIdentifier(subjects);
        }
    });

    private static X509Extension Constraints(int? requires = null, int? inhibits = null) => Sequence("2.5.29.36", true, writer =>
    {
        if (requires is { } explicitly)
            writer.WriteInteger(explicitly, new Asn1Tag(TagClass.ContextSpecific, 0));
        if (inhibits is { } mapping)
            writer.WriteInteger(mapping, new Asn1Tag(TagClass.ContextSpecific, 1));
    });

    private static X509Extension InhibitAny() => new("2.5.29.54", [0x02, 0x01, 0x00], true);

    /// <summary>nameConstraints: permitted subtrees (0) or excluded ones (1), each a GeneralName: 1 mailboxes, 2 hosts, 6 URIs.</summary>
    private static X509Extension Names(int which, params (int Kind, string Name)[] names) => Sequence("2.5.29.30", true, writer =>
    {
        using (writer.PushSequence(new Asn1Tag(TagClass.ContextSpecific, which, true)))
        {
            foreach (var (kind, name) in names)
            {
                using (writer.PushSequence())
                    writer.WriteCharacterString(UniversalTagNumber.IA5String, name, new Asn1Tag(TagClass.ContextSpecific, kind));
            }
        }
    });

    private static X509Extension Sequence(string oid, bool isCritical, Action<AsnWriter> write)
    {
        var writer = new AsnWriter(AsnEncodingRules.DER);
        using (writer.PushSequence())
            write(writer);
        return new X509Extension(oid, writer.Encode(), isCritical);
    }
}
