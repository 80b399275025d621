namespace PolicyDaemon.Core.Destinations;

/// <summary>The service names a mail administrator writes for a port (IANA Service Name and Port Number Registry).</summary>
/// <remarks>Postfix sends the text of the next hop, so <c>:submission</c> and <c>:587</c> reach us as different bytes.</remarks>
internal static class ServiceNames
{
    internal static bool TryPort(ReadOnlySpan<byte> lowerCaseName, out int port)
    {
        port = lowerCaseName switch
        {
            _ when lowerCaseName.SequenceEqual("smtp"u8) || lowerCaseName.SequenceEqual("mail"u8) => 25,
            _ when lowerCaseName.SequenceEqual("submission"u8) => 587,
            _ when lowerCaseName.SequenceEqual("submissions"u8) || lowerCaseName.SequenceEqual("smtps"u8)
                || lowerCaseName.SequenceEqual("ssmtp"u8) || lowerCaseName.SequenceEqual("urd"u8) => 465,
            _ => 0,
        };
        return port != 0;
    }
}
