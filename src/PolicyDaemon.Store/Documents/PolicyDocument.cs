using System.Buffers;
using System.Text;
using System.Text.Json;
using PolicyDaemon.Core.Policies;

namespace PolicyDaemon.Store.Documents;

/// <summary>The attributes of a policy as JSON: a column of the store, and the middle of a destination in the audit log.</summary>
/// <remarks>
/// <para>Every row of <see cref="PolicyAttributes"/> is a member under its name, in the order of the rows; what is not set is left out. A value
/// is a text, of an attribute that adds up an array of texts, of a yes or no a boolean; those of TLSRPT stand together in one object.</para>
/// <para>An attribute that this version does not know is a <see cref="FormatException"/>: without it the policy would be another one.</para>
/// </remarks>
internal static class PolicyDocument
{
    private const string TlsRpt = "tlsrpt";

    /// <returns>Null where no attribute is set.</returns>
    internal static string? ToJson(TlsPolicy policy)
    {
        if (PolicyAttributes.All.All(row => row.Get(policy).IsEmpty))
            return null;
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var writer = new Utf8JsonWriter(buffer))
        {
            writer.WriteStartObject();
            Write(writer, policy);
            writer.WriteEndObject();
        }

        return Encoding.UTF8.GetString(buffer.WrittenSpan);
    }

    internal static TlsPolicy FromJson(TlsLevel level, string? json)
    {
        var policy = new TlsPolicy { Level = level };
        if (json is null)
            return policy;
        using var document = JsonDocument.Parse(json);
        foreach (var member in document.RootElement.EnumerateObject())
            policy = Add(policy, member);
        return policy;
    }

    /// <summary>Writes the attributes as members into the JSON object that the writer is in.</summary>
    internal static void Write(Utf8JsonWriter writer, TlsPolicy policy)
    {
        var isInside = false;
        foreach (var row in PolicyAttributes.All)
        {
            var values = row.Get(policy);
            if (values.IsEmpty)
                continue;
            if (row.TlsRptOnly != isInside)
            {
                if (isInside)
                    writer.WriteEndObject();
                else
                    writer.WriteStartObject(TlsRpt);
                isInside = !isInside;
            }

            if (row.IsFlag)
            {
                writer.WriteBoolean(row.Name, values[^1] == PolicyAttribute.Yes);
            }
            else if (row.Repeats == Repetition.AddsUp)
            {
                writer.WriteStartArray(row.Name);
                foreach (var value in values)
                    writer.WriteStringValue(value);
                writer.WriteEndArray();
            }
            else
            {
                writer.WriteString(row.Name, values[^1]);
            }
        }

        if (isInside)
            writer.WriteEndObject();
    }

    /// <summary>The policy with the attribute of one more member.</summary>
    internal static TlsPolicy Add(TlsPolicy policy, JsonProperty member)
    {
        if (member.NameEquals(TlsRpt))
        {
            foreach (var inside in member.Value.EnumerateObject())
                policy = Add(policy, inside);
            return policy;
        }

        if (!PolicyAttributes.TryFind(member.Name, out var row))
            throw new FormatException($"attribute '{member.Name}', which this version does not know");
        switch (member.Value.ValueKind)
        {
            case JsonValueKind.Array:
                foreach (var value in member.Value.EnumerateArray())
                    policy = row.Add(policy, value.GetString()!);
                return policy;
            case JsonValueKind.True or JsonValueKind.False:
                return row.Add(policy, member.Value.GetBoolean() ? PolicyAttribute.Yes : PolicyAttribute.No);
            case JsonValueKind.String:
                return row.Add(policy, member.Value.GetString()!);
            default:
                throw new FormatException($"attribute '{member.Name}' is no text");
        }
    }
}
