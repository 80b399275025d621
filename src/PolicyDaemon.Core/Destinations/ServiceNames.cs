using System.Text;

namespace PolicyDaemon.Core.Destinations;

/// <summary>The service names a mail administrator writes for a port (IANA Service Name and Port Number Registry).</summary>
/// <remarks>Postfix sends the text of the next hop, so <c>:submission</c> and <c>:587</c> reach us as different bytes.</remarks>
internal static class ServiceNames
{
    // The first name of a port is the one that /etc/services lists; the others are its aliases and older names.
    private static readonly (int Port, string[] Names)[] Table =
    [
        (25, ["smtp", "mail"]),
        (465, ["submissions", "smtps", "ssmtp", "urd"]),
        (587, ["submission"]),
    ];

    internal static bool TryPort(ReadOnlySpan<byte> lowerCaseName, out int port)
    {
        foreach (var row in Table)
        {
            foreach (var name in row.Names)
            {
                if (Ascii.Equals(lowerCaseName, name))
                {
                    port = row.Port;
                    return true;
                }
            }
        }

        port = 0;
        return false;
    }

    /// <summary>The names of a port; none for most.</summary>
    internal static IReadOnlyList<string> Of(int port)
    {
        foreach (var row in Table)
        {
            if (row.Port == port)
                return row.Names;
        }

        return [];
    }
}
